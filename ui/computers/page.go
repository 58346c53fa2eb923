package computers

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/farm"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// Page is the page of the computers, over the rest of the window, and the choice of where the next job is made.
type Page struct {
	*kit.Screen
	Choice *fyne.Container // of the place of the next job; hidden while there is no farm

	host    Host
	link    *Link
	jobs    map[int]*ahead // by task
	running watchedJobs
	told    atomic.Bool // a refresh is on its way

	said     error // why the last thing could not be done
	refused  error // why the last computer could not be let in
	unshared error // why this computer does not share its queue though it is to

	where     *kit.Selector
	note      *kit.Line // under it
	share     *kit.Button
	at        *kit.Line
	pairing   *fyne.Container // one more computer, while this one shares
	name      *kit.Field
	role      *kit.Selector
	line      *kit.Field // the pairing that was made last
	lineRow   *fyne.Container
	how       *widget.Label
	joining   *fyne.Container
	paste     *kit.Field
	server    *kit.Field
	key       string // file of credentials
	keyButton *kit.Button
	joined    *fyne.Container
	joinedAt  *kit.Line
	trouble   *widget.Label
	silent    *widget.Label // why it does not share though it is to
	amiss     *widget.Label // with the name of one more computer
	send      *kit.Check
	sending   *fyne.Container // with send
	summary   *kit.Line
	rows      *fyne.Container
	known     map[string]*computerRow // of rows, by name and how many of it come before
	rest      []fyne.CanvasObject     // of rows, below those
	seen      string                  // what rest shows
}

// New makes the page, hidden, and begins to reach for the farm that this computer has joined, if it has.
func New(h Host) *Page {
	p := &Page{host: h, jobs: map[int]*ahead{}}
	p.build()
	if h.Dir != "" {
		p.link = newLink(h.Context, h.Dir, h.Listen, p.stir)
		if h.Sharing {
			p.Share()
		}
	}
	return p
}

// stir has the page follow the link, on Fyne's goroutine. However often it is called, one refresh waits at most.
func (p *Page) stir() {
	if !p.told.Swap(true) {
		p.host.Post(func() {
			p.told.Store(false)
			p.follow()
		})
	}
}

func (p *Page) build() {
	var labels []string
	for _, w := range state.Wheres() {
		labels = append(labels, w.Label())
	}
	p.where = kit.NewSelect(labels, func(string) {
		to := state.Wheres()[max(p.where.SelectedIndex(), 0)]
		if now := p.host.State().Farm; to != now.Where && !now.Only {
			p.host.Change(func(s *state.State) { s.Farm.Where = to })
			p.host.OnWhere(to)
		}
	})
	p.note = kit.Caption("")
	open := kit.SmallButton(i18n.T("Computers…"), theme.ComputerIcon(), func() { p.Toggle() })
	p.Choice = kit.NewColumn(2, container.NewBorder(nil, nil, nil, open, p.where), container.New(kit.Inset{X: 4, Y: 0}, p.note))
	p.Choice.Hide()

	p.share = kit.NewButton("", p.toggleSharing).
		Explain(i18n.T("Whether other computers may take pictures from the queue of this one and make them."))
	p.at = kit.Caption("")
	p.name = kit.NewField(p.host.Commands.Shortcut, false).
		Explain(i18n.T("A name for the other computer: lower-case letters, digits and hyphens."))
	p.name.SetPlaceHolder(i18n.T("Name of the other computer"))
	p.role = kit.NewSelect([]string{i18n.T("It makes pictures"), i18n.T("It asks for pictures")}, nil).
		Explain(i18n.T("Whether it makes pictures for others, or has its own made."))
	p.role.SetSelectedIndex(0)
	let := kit.NewButton(i18n.T("Let it in"), p.pair).
		Explain(i18n.T("Makes a key for it, which is shown as a line to be pasted there."))
	p.line = kit.NewField(p.host.Commands.Shortcut, false).
		Explain(i18n.T("The line that lets the other computer in. Give it to nobody else."))
	copyLine := kit.SmallButton(i18n.T("Copy"), theme.ContentCopyIcon(), func() { p.host.Copy(p.line.Text) })
	p.how = wrapped(widget.LowImportance)
	p.lineRow = kit.NewColumn(2, container.New(kit.Inset{X: -6, Y: -6}, kit.Quiet(p.how)),
		container.NewBorder(nil, nil, nil, copyLine, p.line),
		kit.Note(i18n.T("The line stays here until the window closes. Let the same name in again for a new one.")))
	p.lineRow.Hide()
	p.amiss = wrapped(widget.WarningImportance)
	p.amiss.Hide()
	p.pairing = kit.NewColumn(6, kit.Caption(i18n.T("One more computer")), p.name, p.amiss, p.role, let, p.lineRow)

	p.paste = kit.NewField(p.host.Commands.Shortcut, false).
		Explain(i18n.T("The line shown by the computer that shares its queue and has let this one in."))
	p.paste.SetPlaceHolder("realword-farm:…")
	join := kit.NewButton(i18n.T("Join"), p.join).
		Explain(i18n.T("Lets the other computers of the farm make pictures for this one, when you choose that."))
	p.server = kit.NewField(p.host.Commands.Shortcut, false).
		Explain(i18n.T("Address of a NATS server, where your studio runs one; the file of credentials comes from whoever runs it."))
	p.server.SetPlaceHolder("nats://10.0.0.5:4222")
	p.keyButton = kit.LowButton(i18n.T("File of credentials…"), theme.FileIcon(), p.chooseKey)
	p.keyButton.Hidden = p.host.OpenKey == nil
	p.joining = kit.NewColumn(6, kit.Note(i18n.T("Paste the line that the other computer shows.")), p.paste,
		kit.Note(i18n.T("Or a NATS server of your studio")), p.server, p.keyButton, join)
	p.joinedAt = kit.Caption("")
	leave := kit.NewButton(i18n.T("Leave the farm"), func() {
		p.host.Layers.Ask(i18n.T("Leave the farm?"), i18n.T("Jobs that run there are taken back. Finished pictures stay."),
			i18n.T("Leave the farm"), func() { p.do(func() error { return p.link.Leave() }, func() { p.unshared = nil }) })
	}).Explain(i18n.T("This computer makes its pictures by itself again."))
	p.joined = kit.NewColumn(6, p.joinedAt, leave)
	p.send = kit.NewCheck(i18n.T("Send the open model"), p.sendOrNot).
		Explain(i18n.T("Whether other computers may get the model that is open here."))
	p.send.SetChecked(!p.host.Stay)
	p.sending = kit.NewColumn(2, p.send, kit.Note(i18n.T("Computers of the farm that lack it and may fetch models get it from here. When this is off, no model leaves this computer.")))
	p.trouble, p.silent = wrapped(widget.WarningImportance), wrapped(widget.WarningImportance)
	p.trouble.Hide()
	p.silent.Hide()
	setup := kit.NewColumn(16,
		kit.NewColumn(6, kit.Whole(kit.Heading(i18n.T("Share the queue of this computer")), nil),
			kit.Note(i18n.T("Other computers take pictures from it and make them. Nothing listens until you start it; after that, it listens whenever Realword is running, until you stop it.")), p.share, p.silent, p.at, p.pairing),
		kit.NewColumn(6, kit.Whole(kit.Heading(i18n.T("Join a farm")), nil), p.joining, p.joined), p.sending, p.trouble)

	p.summary = kit.Caption("")
	p.rows = kit.NewColumn(6)
	back := kit.SmallButton(i18n.T("Close"), theme.CancelIcon(), func() { p.Hide() })
	head := container.NewBorder(nil, nil, nil, back, container.New(kit.Inset{X: 6, Y: 0},
		kit.NewColumn(1, kit.Heading(i18n.T("Computers")), p.summary)))
	body := container.NewBorder(nil, nil, container.New(kit.Fixed{Width: 300}, kit.Panel(kit.NewPage(setup))), nil,
		kit.Panel(container.NewBorder(head, nil, nil, nil, container.New(kit.Inset{X: 0, Y: 8}, kit.NewPage(p.rows)))))
	p.Screen = p.host.Layers.Screen(body)
	p.OnUp = func() {
		p.said, p.refused = nil, nil
		p.link.Look(true)
		p.Refresh()
	}
	p.OnAway = func() { p.link.Look(p.running.any()) }
}

func wrapped(importance widget.Importance) *widget.Label {
	l := widget.NewLabel("")
	l.Wrapping, l.Importance, l.SizeName = fyne.TextWrapWord, importance, theme.SizeNameCaptionText
	return l
}

// Actions are those of the page.
func (p *Page) Actions() []command.Action {
	if p.link == nil {
		return nil
	}
	return []command.Action{{
		ID: "computers.show", Menu: command.MenuRun, Label: i18n.T("Computers…"), Key: "Ctrl+Shift+K", Do: p.Toggle,
		On: func() bool { return p.Shown() },
	}}
}

// do does what the user asks for elsewhere, then tells it to done, which may be nil.
func (p *Page) do(slow func() error, done func()) {
	p.host.Background(func() func() {
		err := slow()
		return func() {
			if p.said = err; err == nil && done != nil {
				done()
			}
			p.Refresh()
		}
	})
}

// Share begins to share the queue of this computer, or has the page and the queue say why not.
func (p *Page) Share() {
	p.host.Background(func() func() {
		err := p.link.Share(p.host.Context)
		return func() {
			if p.unshared = err; err == nil {
				p.said = nil
				p.host.OnSharing(true)
			}
			p.follow()
		}
	})
}

// sendOrNot keeps whether the open model may be fetched from here. A fetch that is under way ends with its piece.
func (p *Page) sendOrNot(on bool) {
	if p.host.Stay == !on {
		return
	}
	p.host.Stay = !on
	p.host.OnStay(!on)
	p.link.Send(p.open())
}

func (p *Page) toggleSharing() {
	if p.link.Now().Sharing == "" {
		p.Share()
		return
	}
	p.host.Layers.Ask(i18n.T("Stop sharing?"), i18n.T("The other computers lose the connection. What is queued is kept, and goes on when you share again."),
		i18n.T("Stop sharing"), func() {
			p.lineRow.Hide()
			p.host.OnSharing(false)
			p.do(func() error { p.link.Unshare(); return nil }, nil)
		})
}

// pair makes the line for one more computer.
func (p *Page) pair() {
	name, role := p.name.Text, farm.Helper
	before, how := "realword worker ", i18n.T("Install Realword on %s and run this there:", cmp.Or(name, "…"))
	if p.role.SelectedIndex() == 1 {
		role, before = farm.Client, ""
		how = i18n.T("Paste this on %s under Computers, Join a farm:", cmp.Or(name, "…"))
	}
	var paired farm.Pairing
	var err error
	p.do(func() error {
		paired, err = p.link.Pair(name, role)
		return nil
	}, func() {
		if p.refused = err; err != nil {
			return
		}
		if paired.Replaces {
			how = i18n.T("The line that %s had does not work any more.", name) + " " + how
		}
		p.line.SetText(before + paired.String())
		p.how.SetText(how)
		p.lineRow.Show()
		p.name.SetText("")
	})
}

func (p *Page) chooseKey() {
	p.host.Background(func() func() {
		path, err := p.host.OpenKey()
		return func() {
			if p.said = err; err == nil && path != "" {
				p.key = path
				p.keyButton.SetText(wording.Path(path))
			}
			p.Refresh()
		}
	})
}

func (p *Page) join() {
	line, address, key := p.paste.Text, p.server.Text, p.key
	p.do(func() error {
		if strings.TrimSpace(line) == "" && strings.TrimSpace(address) != "" {
			return p.link.JoinServer(p.host.Context, address, key)
		}
		return p.link.Join(p.host.Context, line)
	}, func() {
		p.paste.SetText("")
		p.unshared = nil
		p.host.OnSharing(false) // nor at the next start
	})
}

func (p *Page) revoke(name string) {
	p.host.Layers.Warn(i18n.T("Let %s out?", name), i18n.T("Its connection ends at once, and its line will never work again. What it is working on is made by another computer."),
		i18n.T("Cancel"), i18n.T("Let it out"), func() { p.do(func() error { return p.link.Revoke(name) }, nil) })
}

// follow takes over what the link says.
func (p *Page) follow() {
	f, s := p.link.Now(), p.host.State()
	next := state.Farm{Joined: f.Reached, Away: f.Reached && f.Away, Where: s.Farm.Where, Only: p.only()}
	var id string
	if s.Model != nil {
		id = farm.ModelID(*s.Model)
	}
	p.link.Send(p.open())
	if next.Elsewhere = f.Belongs && !f.Joined.Own; !f.Reached && !next.Elsewhere {
		next.Why = wording.Sentence(p.unshared)
	}
	for _, w := range f.Status.Workers {
		next.Computers++
		if _, has := w.Models[id]; has {
			next.Able++
		}
		if f := w.Fetches; f != nil && f.ID == id && f.Why == "" {
			next.Fetching++
		}
	}
	out, runs := !f.Reached || f.Away, map[int]state.Round{}
	for _, one := range s.Queue.Flights {
		job := p.running.of(one.Task.ID)
		if job == nil {
			continue
		}
		was, now := one.Run, one.Run
		now.Makers, now.Waits = makers(job, f.Status.Workers), out || !helped(job, f.Status.Workers)
		if now.Waits != was.Waits || !slices.Equal(now.Makers, was.Makers) {
			runs[one.Task.ID] = now
		}
	}
	if !p.running.any() && !p.Shown() {
		p.link.Look(false)
	}
	slots := min(next.Able, mostSlots)
	if next != s.Farm || out != s.Queue.Away || slots != s.Queue.Slots || len(runs) > 0 {
		more := s.Queue.Away && !out || slots > s.Queue.Slots
		p.host.Change(func(s *state.State) {
			s.Farm, s.Queue.Away, s.Queue.Slots = next, out, slots
			for id, now := range runs {
				s.Queue = s.Queue.ChangeFlight(id, func(f *state.Flight) { f.Run.Makers, f.Run.Waits = now.Makers, now.Waits })
			}
			if more {
				p.host.OnFarm()
			}
		})
		return // which has refreshed the page
	}
	p.Refresh()
}

// mostSlots is how many jobs of this window the farm makes at once, at most: each is a row of the queue with a film of its own.
const mostSlots = 4

// Shows is what the page, the choice and what the link says with them show.
func (p *Page) Shows(s state.State) []any {
	return []any{s.Farm, s.Queue.Away, s.Run().Makers, s.Model}
}

// Refresh makes the page equal to the state and to what the link says.
func (p *Page) Refresh() {
	if p.link == nil {
		return
	}
	s, f := p.host.State(), p.link.Now()
	if s.Farm.Only != p.only() { // the open model is another one
		p.stir()
	}
	p.refreshChoice(s.Farm)
	if !p.Shown() {
		return
	}
	text, want := i18n.T("Start sharing"), widget.HighImportance
	if f.Sharing != "" {
		text, want = i18n.T("Stop sharing"), widget.MediumImportance
	}
	if p.share.Text != text {
		p.share.Importance = want
		p.share.SetText(text)
	}
	p.at.Set(i18n.T("Listening at %s", firstAddress(f.Sharing)))
	p.at.Hidden, p.pairing.Hidden = f.Sharing == "", f.Sharing == ""
	elsewhere := f.Belongs && !f.Joined.Own
	kit.Enable(p.share, !elsewhere || f.Sharing != "")
	p.joined.Hidden, p.joining.Hidden = !elsewhere, elsewhere
	p.sending.Hidden = f.Sharing == "" && !elsewhere
	p.joinedAt.Set(i18n.T("Joined: %s", f.Joined.Server))
	why := wording.Sentence(cmp.Or(p.said, f.Err))
	if why == "" && f.Away {
		why = i18n.T("The farm does not answer. Jobs wait for it and go on when it is back.")
	}
	p.trouble.SetText(why)
	p.trouble.Hidden = why == ""
	silent := p.unshared
	if elsewhere && f.Sharing == "" {
		silent = errJoined()
	}
	p.silent.SetText(wording.Sentence(silent))
	p.silent.Hidden = silent == nil
	p.amiss.SetText(wording.Sentence(p.refused))
	p.amiss.Hidden = p.refused == nil
	p.refreshList(f)
	p.Root.Refresh()
}

// refreshChoice shows where the next job is made, and what may be amiss with that.
func (p *Page) refreshChoice(f state.Farm) {
	kit.Enable(p.where, !f.Only)
	shown := f.Where
	if f.Only {
		shown = state.Far
	}
	if i := slices.Index(state.Wheres(), shown); p.where.SelectedIndex() != i {
		p.where.SetSelectedIndex(i)
	}
	text, color := "", theme.ColorNamePlaceHolder
	switch {
	case f.Away:
		text, color = i18n.T("The farm does not answer; its jobs wait."), theme.ColorNameWarning
	case f.Able == 0 && f.Fetching > 0 && (f.Only || f.Where != state.Here):
		text = i18n.N(f.Fetching, "%d computer is fetching this model.", "%d computers are fetching this model.", f.Fetching)
	case f.Only && f.Able == 0:
		text, color = i18n.T("No computer there has this model yet."), theme.ColorNameWarning
	case f.Only:
		text = i18n.T("This model is on the farm alone.")
	case f.Where != state.Here && f.Able == 0:
		text, color = i18n.T("No computer there has this model yet."), theme.ColorNameWarning
	case f.Where != state.Here:
		text = i18n.N(f.Able, "%d computer has this model.", "%d computers have this model.", f.Able)
	}
	p.note.Color = color
	p.note.Set(text)
	if hidden := !f.Joined; hidden != p.Choice.Hidden || p.note.Hidden != (text == "") {
		p.Choice.Hidden, p.note.Hidden = hidden, text == ""
		p.Choice.Refresh()
	}
}

// open is the open model, where it is here; nil where none is.
func (p *Page) open() *bundle.Bundle {
	if p.host.Stay {
		return nil
	}
	if e, ok := p.host.Engine().(interface{ Bundle() *bundle.Bundle }); ok {
		if b := e.Bundle(); !b.IsCard() {
			return b
		}
	}
	return nil
}

// only tells whether the open model is on other computers alone.
func (p *Page) only() bool {
	e, ok := p.host.Engine().(interface{ Elsewhere() bool })
	return ok && e.Elsewhere()
}

// use opens a model that other computers have, by its card.
func (p *Page) use(id string) {
	path := filepath.Join(p.host.Dir, "cards", id+bundle.CardExtension)
	p.do(func() error {
		conn := p.link.Conn()
		if conn == nil {
			return i18n.Errorf("no farm is joined: choose “Here” for the job, or join a farm under Computers")
		}
		data, err := conn.Card(p.host.Context, id)
		if err == nil {
			_, err = bundle.ReadCard(data)
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o700)
		}
		if err != nil {
			return err
		}
		return files.Write(path, files.Private, data)
	}, func() {
		p.Hide()
		p.host.OnCard(path)
	})
}

// offered is a model that only other computers have.
type offered struct{ id, name string }

// offeredOf are the models that computers of the farm tell about, but for the open one, by name.
func offeredOf(f Farm, open string) (list []offered) {
	for _, w := range f.Status.Workers {
		for id, name := range w.Models {
			if o := (offered{id, name}); id != open && w.Cards[id] != "" && !slices.Contains(list, o) {
				list = append(list, o)
			}
		}
	}
	slices.SortFunc(list, func(a, b offered) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.id, b.id)) })
	return list
}

// computer is a row of the list.
type computer struct {
	name, about, doing string
	bad, paired        bool
	fetched            float64 // of a model that it gets, 0 to 1; 0: none
}

// computersOf are the rows: computers that are there, then those that are paired and are not.
func computersOf(f Farm) (list []computer) {
	there := map[string]bool{}
	for _, w := range f.Status.Workers {
		there[w.Name] = true
		var models []string
		for _, name := range w.Models {
			models = append(models, name)
		}
		slices.Sort(models)
		about := []string{}
		if w.Device != "" {
			about = append(about, w.Device)
		}
		about = append(about, strings.Join(models, ", "))
		if m := w.Memory; m.Total > 0 {
			about = append(about, i18n.T("%s of %s memory free", wording.Bytes(m.Free), wording.Bytes(m.Total)))
		}
		if m := w.Memory; m.Card > 0 {
			about = append(about, i18n.T("%s of %s free on the graphics card", wording.Bytes(m.CardFree), wording.Bytes(m.Card)))
		}
		if w.Seconds > 0 {
			about = append(about, i18n.T("%s s per pass", i18n.Number("%.2f", w.Seconds)))
		}
		if w.Made > 0 {
			about = append(about, i18n.N(w.Made, "%d picture made", "%d pictures made", w.Made))
		}
		c := computer{name: w.Name, about: strings.Join(about, " · "), doing: i18n.T("has nothing to do")}
		switch {
		case w.Doing != "" && !w.Full:
			c.doing = i18n.T("step %d of %d: %s", w.Step, w.Steps, w.Prompt)
		case w.Problem != "":
			c.doing, c.bad = wording.Sentence(w.Trouble()), true
		}
		if g := w.Fetches; g != nil {
			text := i18n.T("fetches %s: %s of %s", g.Name, wording.Bytes(g.Done), wording.Bytes(g.Total))
			if why := g.Reason(); why != nil {
				c.bad, text = true, i18n.T("cannot get %s yet: %s", g.Name, wording.Brief(why))
			}
			if g.Total > 0 {
				c.fetched = float64(g.Done) / float64(g.Total)
			}
			if w.Doing != "" {
				text = c.doing + " · " + text
			}
			c.doing = text
		}
		c.paired = slices.ContainsFunc(f.Keys, func(k farm.Key) bool { return k.Name == w.Name && k.Role == farm.Helper })
		list = append(list, c)
	}
	for _, k := range f.Keys {
		switch {
		case k.Name == farm.ThisComputer || there[k.Name]:
		case k.Role == farm.Client:
			list = append(list, computer{name: k.Name, about: i18n.T("asks for pictures"), paired: true})
		default:
			list = append(list, computer{name: k.Name, about: i18n.T("was let in and is not there"), paired: true})
		}
	}
	return list
}

func (p *Page) refreshList(f Farm) {
	list := computersOf(f)
	text := ""
	if f.Reached {
		text = i18n.T("%d waiting · %d in work · %s kept", f.Status.Waiting, f.Status.Running, wording.Bytes(f.Status.Bytes))
	}
	for name, n := range f.Status.Orphans {
		text += " · " + i18n.N(n, "%d picture needs the model %s, which no computer has",
			"%d pictures need the model %s, which no computer has", n, name)
	}
	p.summary.Set(text)
	open := ""
	if m := p.host.State().Model; m != nil {
		open = farm.ModelID(*m)
	}
	models := offeredOf(f, open)
	var objects []fyne.CanvasObject
	known, times := map[string]*computerRow{}, map[string]int{}
	for _, c := range list { // a row stays while its computer does, with the keyboard's focus and a click that has begun
		times[c.name]++
		key := fmt.Sprint(times[c.name], c.name)
		r := p.known[key]
		if r == nil {
			r = p.newRow(c.name)
		}
		r.show(c, f.Sharing != "")
		known[key] = r
		objects = append(objects, r.body)
	}
	p.known = known
	if seen := fmt.Sprint(f.Sharing != "", f.Reached, len(list) == 0, models); seen != p.seen {
		p.seen, p.rest = seen, p.belowRows(f, len(list) == 0, models)
	}
	if objects = append(objects, p.rest...); !slices.Equal(objects, p.rows.Objects) {
		p.rows.Objects = objects
		p.rows.Refresh()
	}
}

// belowRows is what stands below the computers.
func (p *Page) belowRows(f Farm, none bool, models []offered) (list []fyne.CanvasObject) {
	if none {
		empty := i18n.T("No other computer helps yet. Start sharing, let one in, and it appears here.")
		switch {
		case f.Sharing != "":
			empty = i18n.T("No other computer helps yet. Let one in, and it appears here.")
		case f.Reached:
			empty = i18n.T("No computer of the farm is there.")
		}
		list = append(list, kit.Note(empty))
	}
	if len(models) > 0 {
		list = append(list, kit.Heading(i18n.T("Models of the farm")),
			kit.Note(i18n.T("They can be used without being here: the farm makes the pictures.")))
	}
	for _, o := range models {
		list = append(list, container.NewBorder(nil, nil, nil, kit.NewButton(i18n.T("Use it"), func() { p.use(o.id) }).
			Explain(i18n.T("Takes this model for the next job. The farm makes the pictures.")),
			container.New(kit.Inset{X: 8, Y: 8}, kit.NewLine(o.name, theme.ColorNameForeground, theme.SizeNameText))))
	}
	return list
}

// computerRow is a computer in the list.
type computerRow struct {
	body         fyne.CanvasObject
	about, doing *kit.Fitted
	fetched      *widget.ProgressBar
	bar, tools   *fyne.Container
}

func (p *Page) newRow(called string) *computerRow {
	r := &computerRow{
		about: kit.NewFitted(theme.ColorNamePlaceHolder), doing: kit.NewFitted(theme.ColorNameForeground), fetched: widget.NewProgressBar(),
	}
	name := kit.NewLine(called, theme.ColorNameForeground, theme.SizeNameText)
	name.Style.Bold = true
	r.fetched.TextFormatter = func() string { return "" }
	r.bar = container.New(kit.Fixed{Height: 5}, r.fetched)
	r.tools = container.NewCenter(kit.SmallButton(i18n.T("Let %s out", called), theme.CancelIcon(), func() { p.revoke(called) }))
	icon := container.NewCenter(container.New(kit.Fixed{Width: 24, Height: 24}, widget.NewIcon(theme.ComputerIcon())))
	r.body = container.NewStack(kit.NewPlate(kit.ColorRaised, kit.ColorLine, 7),
		container.New(kit.Inset{X: 8, Y: 6}, container.NewBorder(nil, nil, icon, r.tools,
			container.New(kit.Inset{X: 8, Y: 0}, kit.NewColumn(2, name, r.about, r.doing, r.bar)))))
	return r
}

func (r *computerRow) show(c computer, sharing bool) {
	r.about.Set(c.about, theme.ColorNamePlaceHolder)
	color := theme.ColorNameForeground
	if c.bad {
		color = theme.ColorNameWarning
	}
	r.doing.Set(c.doing, color)
	r.fetched.SetValue(c.fetched)
	r.doing.Hidden, r.bar.Hidden, r.tools.Hidden = c.doing == "", c.fetched <= 0, !sharing || !c.paired
}

// Close waits until the jobs of a window that has closed are taken back from the farm, for some seconds at most.
func (p *Page) Close() {
	if p.link != nil {
		<-p.link.done
	}
}
