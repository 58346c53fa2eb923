package state

import (
	"slices"

	"realword/inference"
	"realword/inference/guidance"
	"realword/ui/i18n"
)

// overlap is how much two subjects wanted the same positions before Algorithm 1 gave each position to one of them. Much of it
// foretells that one of them will be lost, or that the two mix.
type overlap struct {
	a, b  int     // subjects; equal: there is none
	share float64 // positions that both would take, of those of the smaller one
}

// muchOverlap is where the note becomes a warning. It is a guess: nobody has measured it.
const muchOverlap = 0.3

// worstOverlap is the largest overlap of two subjects in a step that ran the guidance branch.
func worstOverlap(step *inference.StepDone, subjects []guidance.Subject) (worst overlap) {
	if len(subjects) < 2 || len(subjects) != len(step.Subjects) {
		return overlap{}
	}
	counts, err := guidance.Contested(ScoresOf(step), subjects)
	if err != nil {
		return overlap{}
	}
	worst.share = -1
	for i := range counts {
		for j := range i {
			if k := min(counts[i][i], counts[j][j]); k > 0 && float64(counts[i][j])/float64(k) > worst.share {
				worst = overlap{j, i, float64(counts[i][j]) / float64(k)}
			}
		}
	}
	worst.share = max(worst.share, 0)
	return worst
}

// overlapStep is the step of what is in view whose scores decided its masks: the last one up to it that ran the guidance
// branch. Nil without one.
func (s State) overlapStep() *inference.StepDone {
	film, _ := s.Film()
	if shown := s.Shown(); shown != nil {
		i := slices.IndexFunc(film, func(step inference.StepDone) bool { return step.Step == shown.Step })
		film = film[:i+1]
	}
	for i := range slices.Backward(film) {
		if film[i].Guided && len(film[i].Subjects) > 1 && len(film[i].Subjects[0].Scores) > 0 {
			return &film[i]
		}
	}
	return nil
}

// OverlapNote says how much two subjects of what is in view wanted the same place, and whether that is much; "" where there is
// nothing to say.
func (s State) OverlapNote() (note string, much bool) {
	step := s.overlapStep()
	if step == nil {
		return "", false
	}
	shown := s.shownSubjects()
	list, err := inference.Rule(shown, step.GridWidth, step.GridHeight)
	if err != nil {
		return "", false
	}
	o := worstOverlap(step, list)
	if o.a == o.b || 100*o.share < 0.5 { // "0 %"
		return "", false
	}
	a, b := Shorten(WordName(shown[o.a].Word), 14), Shorten(WordName(shown[o.b].Word), 14)
	if o.share <= muchOverlap {
		return i18n.T("%.0f %% overlap between “%s” and “%s” at step %d.", 100*o.share, a, b, step.Step+1), false
	}
	return i18n.T("%.0f %% overlap between “%s” and “%s” at step %d: lower their areas, or move the subjects apart.", 100*o.share, a, b, step.Step+1), true
}
