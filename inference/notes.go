package inference

import (
	"image"
	"math"
	"strings"

	"realword/inference/files"
	"realword/inference/message"
	"realword/inference/picture"
)

// Notes says what of a request will be cut off, is read differently from what it may mean, or was chosen among several, a sentence
// each: prompts beyond what the text encoder reads, the notations of other programs, a word that is there more than once, a seed beyond
// what the noise is drawn from, and what was lost when a picture was read, which is known once the request was resolved. A request
// that was not resolved tells more: a resolved one names the occurrence of every word.
func (e *Engine) Notes(r Request) []error {
	var notes []error
	m, words := e.model.Manifest(), e.model.Tokenizer(0)
	full := Defaults(m, r)
	preset, _ := m.Preset(full.Preset)
	var seed uint64 // of the first picture: the others may read other alternatives
	if len(r.Seeds) > 0 {
		seed = r.Seeds[0]
	}
	short := false // it was said that prompts are cut
	for _, text := range []struct {
		name      error
		text, own string
		negative  bool
	}{
		{message.New("prompt"), full.Prompt, "", false},
		{message.New("negative prompt"), full.Negative, preset.Negative, true},
	} {
		if text.negative && full.CFG == 1 && strings.TrimSpace(r.Negative) != "" && text.text != text.own {
			notes = append(notes, message.New("with a guidance scale of 1 there is no unconditional pass, so nobody reads the negative prompt: leave it out, or choose a higher scale"))
		}
		if text.negative && (full.CFG == 1 || text.text == text.own) {
			continue // nobody reads it, or it is meant as it stands
		}
		how := full.Reading(m, text.negative, seed)
		p := words.Read(text.text, how)
		for _, w := range p.Words {
			if w.Cut {
				notes = append(notes, message.Errorf("the %v has %d tokens, and the model reads %d of them: %q is cut off; shorten it", text.name,
					p.Taken(), p.Holds(), excerpt(text.text[w.Start:])))
				break
			}
		}
		in := how
		if in.Chunks = true; !how.Chunks && len(words.Read(text.text, in).Chunks) > 1 {
			switch {
			case short:
			case full.Cut && m.Text.Chunks:
				notes = append(notes, message.New("prompts are cut after 75 tokens, as by earlier versions: turn that off to have all of them read"))
			case !m.Text.Chunks:
				notes = append(notes, message.Errorf("the graphs of the model %s read one prompt of 75 tokens: import the model again to read longer ones, and BREAK", m.Name))
			}
			short = true
		}
		for _, n := range how.Notations(text.text) {
			notes = append(notes, message.Errorf("in the %v, %v", text.name, n))
		}
		for _, n := range p.Nets {
			notes = append(notes, message.Errorf("in the %v, %q is left out: nothing is loaded by a prompt", text.name, text.text[n.Start:n.End]))
		}
	}
	p := words.Read(full.Prompt, full.Reading(m, false, seed))
	for _, s := range r.Subjects {
		if n := p.Count(s.Word.Text); n > 1 && s.Word.Occurrence == 0 {
			notes = append(notes, message.Errorf("%q occurs %d times in the prompt: the first is used, %s#2 would be the second", s.Word.Text, n,
				s.Word.Text))
		}
	}
	for _, seed := range r.Seeds {
		if seed > math.MaxUint32 {
			notes = append(notes, message.Errorf("the seed %d has more than 32 bits, and only the last 32 count: it is the same as %d", seed,
				uint32(seed)))
			break // those behind it follow
		}
	}
	notes = append(notes, e.loraNotes(full)...)
	if n := full.swiftNote(m); n != nil {
		notes = append(notes, n)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	said := map[string]bool{}
	for _, s := range r.Subjects {
		for _, ref := range s.References {
			sum := ref.SHA256
			if sum == "" {
				sum = files.Sum(ref.Data)
			}
			list, _ := e.notes.get(sum)
			for _, n := range list {
				if !said[sum] {
					notes = append(notes, message.Errorf("the picture %q: %s", ref.Name, n))
				}
			}
			said[sum] = true
		}
		if s.Region.IsZero() {
			continue
		}
		sum := s.Region.SHA256
		if sum == "" {
			sum = files.Sum(s.Region.Data)
		}
		list, _ := e.notes.get(sum)
		for _, n := range list {
			notes = append(notes, message.Errorf("the mask of %s: %s", s.Word, n))
		}
		var size image.Point
		if read, ok := e.masks.get(sum); ok {
			size = read.mask.Rect.Size()
		} else { // no job has read it yet
			size = picture.PaintedSize(s.Region.Data)
		}
		if wide, high := size.X*full.Height, size.Y*full.Width; 50*max(wide, high) > 51*min(wide, high) {
			notes = append(notes, message.Errorf("the mask of %s has another shape than the picture of %d × %d pixels: it is stretched", s.Word,
				full.Width, full.Height))
		}
	}
	if r.Init != nil {
		sum := r.Init.SHA256
		if sum == "" {
			sum = files.Sum(r.Init.Data)
		}
		list, _ := e.notes.get(sum)
		for _, n := range list {
			notes = append(notes, message.Errorf("the picture %q to begin with: %s", r.Init.Name, n))
		}
	}
	return notes
}

// excerpt is the beginning of a text.
func excerpt(text string) string {
	const most = 40
	text = strings.Join(strings.Fields(text), " ")
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most]) + "…"
	}
	return text
}
