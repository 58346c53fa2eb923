package ui

import (
	"context"
	"image"
	"net/url"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"realword/history/journal"
	"realword/inference"
	"realword/inference/files"
	"realword/inference/guidance"
	"realword/inference/picture"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/prompt"
	"realword/ui/command"
	"realword/ui/computers"
	"realword/ui/gallery"
	"realword/ui/grid"
	"realword/ui/i18n"
	"realword/ui/inspect"
	"realword/ui/kit"
	"realword/ui/mask"
	"realword/ui/models"
	"realword/ui/preferences"
	"realword/ui/queue"
	"realword/ui/reuse"
	"realword/ui/saving"
	"realword/ui/session"
	"realword/ui/settings"
	"realword/ui/stage"
	"realword/ui/state"
	"realword/ui/subjects"
	"realword/ui/wordbook"
	"realword/ui/wording"
)

// Window is the studio. All of it but post and the background work belongs to Fyne's goroutine.
type Window struct {
	bell // and the app
	win  fyne.Window
	opt  Options
	life

	state state.Owner

	journal *journal.Journal
	session *session.Keeper
	gallery *gallery.Page
	models  *models.Page
	notice  *kit.NoticeBar

	*command.Commands
	prefs      *preferences.Desk
	undo       state.Undo
	kit.Layers // what Esc closes

	subjects *subjects.Panel
	stage    *stage.Panel
	inspect  *inspect.Panel
	mask     *mask.Panel
	saver    *saving.Saver
	columns  columns
	set      *settings.Panel
	queue    *queue.Panel
	reuse    *reuse.Desk
	grid     *grid.Page

	computers *computers.Page
}

// New makes the window without showing it.
func New(a fyne.App, o Options) *Window {
	if err := preferences.Read(a.Preferences()).Speak(); err != nil {
		fyne.LogError("The window speaks English", err)
	}
	rest := &resting{wait: o.Wait, wake: o.Wake}
	w := newWindow(a, o, rest.post)
	w.resting, w.queue.Pace = rest, stepPace
	return w
}

// stepPace is how often at most a run shows another step: ten times a second.
const stepPace = 100 * time.Millisecond

func newWindow(a fyne.App, o Options, post func(func())) *Window {
	w := &Window{bell: bell{app: a, system: runtime.GOOS}, opt: o}
	w.state = state.Owner{State: state.NewState(), OnChange: w.beforeRooms}
	if w.opt.Pictures == "" {
		w.opt.Pictures = files.Pictures()
	}
	if w.opt.Title == "" {
		w.opt.Title = "Realword"
	}
	w.Layers.Canvas = func() fyne.Canvas { return w.win.Canvas() }
	w.ctx, w.quit = context.WithCancel(context.Background())
	w.dog = newWatchdog(post, auditTo)
	w.post = w.while(post)
	written := func() {
		w.gallery.Written()
		w.leave()
	}
	w.journal = journal.New(func(err error) { w.session.Told(err) }, func() { w.post(written) }, func() { w.post(w.refresh) })
	w.journal.Stopped = func(picture uint64, still func() bool) { w.post(func() { w.session.Stopped(picture, still) }) }
	w.prefs = preferences.New(a)
	w.state.State.Farm.Where = w.prefs.Where
	w.win = a.NewWindow(w.opt.Title)
	w.busy, w.gone = w.journal.Working, w.win.Close
	w.Commands = command.New(w.win, &w.Layers)
	w.All, w.Own, w.OnHold = w.allActions, func() map[string]string { return w.prefs.Keys }, func(held bool) { w.stage.Peek(held) }
	w.Writes, w.OnWrite = w.writes, w.write
	w.Closing = func() bool { return w.closing }
	w.prefs.Host = w.preferencesHost()
	w.subjects = subjects.New(w.Commands)
	w.subjects.State, w.subjects.Change = w.state.Now, w.state.Change
	w.subjects.Ctx, w.subjects.Canvas, w.subjects.Post, w.subjects.Background = w.ctx, w.win.Canvas, w.post, w.background
	w.subjects.OpenFiles, w.subjects.Clipboard = w.opt.OpenFiles, w.opt.Paste
	w.subjects.Engine = func() subjects.Engine {
		if e := w.models.Engine(); e != nil {
			return e
		}
		return nil
	}
	w.subjects.Layers = &w.Layers
	w.subjects.OnResized = w.columns.relay
	w.subjects.OnPaint = func(card int) { w.mask.Paint(card) }
	w.subjects.OnCut = func(img image.Image, done func(*image.Gray)) { w.mask.CutOut(img, done) }
	w.subjects.OnOpened = func(path string) { w.reuse.File(path) }
	w.subjects.OnSeen = func() { w.undo.See(w.state.Form) }
	w.OnKeys = func(own map[string]string) {
		w.prefs.Change(func(p *preferences.Values) { p.Keys = own })
		w.Bind()
		w.refresh() // hints name keys
	}
	w.saver = w.newSaver()
	w.reuse = w.newReuse()
	w.slowly, w.wanted = w.background, func() bool { return w.prefs.Notify && !w.closing }
	w.watch()
	ghost := kit.NewGhost()
	w.session = session.New(w.sessionHost())
	w.buildHistory()
	w.computers = newComputers(w)
	w.queue = queue.New(w.queueHost(ghost))
	w.notice = kit.NewNoticeBar(func() fyne.CanvasObject { return w.win.Content() })
	w.models = models.New(w.modelsHost())
	w.win.SetMaster()
	w.win.SetPadded(false)
	w.win.SetContent(w.build(ghost))
	w.win.Resize(startSize(w.prefs.Room))
	w.win.SetOnDropped(w.Dropped)
	w.win.SetCloseIntercept(w.askClose)
	w.Bind()
	w.undo.Reset(w.state.Form)
	w.state.Rooms = w.rooms()
	w.refresh()
	w.subjects.Offer(w.opt.Samples)
	w.models.Start()
	w.session.Open()
	w.models.LookForDownloads()
	if text := w.prefs.Untold(); text != "" {
		w.notice.Say(kit.Notice{Text: text, Bad: true, Stays: true})
	}
	w.background(func() func() {
		err := w.prefs.Kept()
		return func() {
			if err != nil {
				text := i18n.T("Preferences, presets and styles are not kept.") + " " + wording.Sentence(err)
				w.notice.Say(kit.Notice{Text: text, Bad: true, Stays: true})
			}
		}
	})
	openLater(w)
	return w
}

// newStage wires the room of the picture.
func (w *Window) newStage(ghost *kit.Ghost) *stage.Panel {
	p := stage.New(stage.Host{
		State: w.state.Now, Change: w.state.Change, Refresh: w.refresh, Post: w.post, Background: w.background,
		Layers: &w.Layers, Commands: w.Commands,
		Painted: w.dog.painted, Make: func(t state.Task) { w.queue.Put(t, true) }, Read: w.session.Reader, Carry: w.opt.DragFile,
		Lend: func(shot state.Shot) (string, error) { return w.saver.Lend(shot) },
		Example: stage.Example{
			Show: w.session.ShowExample, Close: w.session.CloseExample, Can: w.session.CanShowExample,
			OnResize: func() { w.win.Content().Refresh() },
		},
		Ghost: ghost, OpenFolder: w.opt.OpenFolder, SaveFile: w.opt.savePNG(),
		Sizes: w.columns.sizes, Resize: w.columns.setSizes, Easel: w.mask.Easel, Veil: func() (stage.Veil, []picture.Layer) {
			m, style, kind, masks := w.mask.Veil()
			return stage.Veil{Mask: m, Style: style, Away: kind == guidance.NotHere}, masks
		},
	})
	w.mask.Ground, w.mask.OnHeight = p, func() { w.columns.again() }
	p.OnInspect, p.OnHeight = func(s int) { w.inspect.Show(s) }, func() { w.columns.again() }
	p.OnDropped = func(shot state.Shot, at fyne.Position) {
		w.reuse.Dropped(shot, w.subjects.TargetAt(at), at.X < w.columns.middle.Position().X)
	}
	return p
}

// newMask wires the brush; the stage gives it its ground.
func (w *Window) newMask() *mask.Panel {
	return mask.New(mask.Host{
		State: w.state.Now, Change: w.state.Change, Refresh: w.refresh, Post: w.post, Layers: &w.Layers, Commands: w.Commands,
	})
}

// newInspection wires the room that takes the picture's place.
func (w *Window) newInspection() *inspect.Panel {
	p := inspect.New(inspect.Host{
		State: w.state.Now, Change: w.state.Change, Refresh: w.refresh, Post: w.post, Background: w.background,
		Layers: &w.Layers, Commands: w.Commands,
		Lens: w.stage.Lens, Onto: stage.Over, SaveFile: w.opt.savePNG(),
	})
	p.OnOpen = func(open bool) {
		if open {
			w.columns.lower.Hide()
		} else {
			w.columns.lower.Show()
		}
	}
	p.OnAgain, p.OnMine = func(change func(*inference.Request)) { w.reuse.Again(change) }, w.mask.Mine
	return p
}

// Close cancels a running job, waits shortly for it and for files being written, and closes the window.
func (w *Window) Close() {
	if w.closing {
		return
	}
	w.prefs.Room.Width, w.prefs.Room.Height = w.win.Canvas().Size().Components()
	w.prefs.Write(w.app.Preferences())
	w.keep()
	w.quit()
	w.models.Say(i18n.T("Closing…"))
	w.leave()
	time.AfterFunc(patience, func() { w.post(w.shut) })
}

// keep writes down what is open, for the next start.
func (w *Window) keep() {
	w.closing = true
	w.session.Keep()
	w.queue.KeepRest()
}

// ended is what is left to do when Fyne has ended. At a signal it does so by itself, mostly before Close comes, which it then drops.
func (w *Window) ended() {
	w.closed.Store(true) // nothing is done to the state any more
	if !w.closing {
		w.keep() // before the jobs end
	}
	w.over()
	w.saver.Return()
}

// patience is how long a closing window waits.
const patience = 3 * time.Second

func (w *Window) build(ghost *kit.Ghost) fyne.CanvasObject {
	c := &w.columns
	c.prompt, c.left = w.subjects.BuildPrompt().(*fyne.Container), w.subjects.BuildCards().(*fyne.Container)
	w.set = settings.New(w.settingsHost())
	c.tabs = newTabs(w.set.Page, w.queue.Root)
	c.right = kit.Panel(container.NewBorder(nil, w.set.Action, nil, nil, c.tabs.Root)).(*fyne.Container)
	c.run = w.set.Head
	c.resize = func() { w.win.Content().Refresh() }
	c.folded = func() folds { return folds{w.prefs.FoldLeft, w.prefs.FoldRight, w.prefs.FoldPrompt} }
	c.room = func() preferences.Room { return w.prefs.Room }
	c.keep = func(r preferences.Room) { w.prefs.Change(func(p *preferences.Values) { p.Room = r }) }
	c.fold = func(f folds) {
		w.prefs.Change(func(p *preferences.Values) { p.FoldLeft, p.FoldRight, p.FoldPrompt = f.left, f.right, f.prompt })
	}
	c.narrow = w.subjects.Narrow
	w.mask = w.newMask()
	w.stage = w.newStage(ghost)
	below := kit.NewColumn(4, w.mask.Tools, w.stage.Tools, w.stage.Border, w.stage.Film, w.gallery.Tree.Root)
	c.lower = container.New(kit.Under{Least: c.half, Spare: w.stage.Spare}, w.stage.Body,
		kit.NewPage(container.New(kit.Inset{X: 0, Y: belowMargin}, below)))
	c.below = func() (height, film float32) {
		below.Resize(fyne.NewSize(below.Size().Width, below.MinSize().Height)) // what is broken into lines knows its height only for a width
		now, least := w.stage.FilmRoom()
		return below.MinSize().Height + 2*belowMargin - now, least
	}
	w.inspect = w.newInspection()

	name := kit.NewLine("Realword", theme.ColorNameForeground, theme.SizeNameSubHeadingText)
	name.Style.Bold = true
	sessions := kit.NewButtonWithIcon(i18n.T("Sessions"), theme.HistoryIcon(), w.gallery.Toggle).
		Explain(i18n.T("All pictures and sessions that are kept, with stars, search and trash."))
	sessions.Importance = widget.LowImportance
	w.grid = newGrid(w)
	grids := kit.NewButtonWithIcon(i18n.T("Grids"), theme.GridIcon(), w.grid.Toggle).
		Explain(i18n.T("Pictures side by side that differ in one or two settings."))
	grids.Importance = widget.LowImportance
	title := container.NewStack(name)
	head := container.New(kit.Inset{X: 4, Y: 0}, container.New(kit.Head{Gap: 7, Name: title},
		kit.NewRow(8, c.button(w.Commands, "view.left", "5"), container.New(kit.Either{Second: w.stage.Marked}, title, w.stage.ExampleMark), sessions, grids, w.models.Opener),
		c.run, w.models.Light, w.models.Status, c.button(w.Commands, "view.right", "14")))
	body := container.NewStack(c.build(w.inspect.Body), w.gallery.Root, w.models.Root, w.grid.Root, w.computers.Root)
	top := kit.NewColumn(4, container.New(kit.Fixed{Height: 30}, head),
		w.gallery.Banner.Container, w.saver.Bar.Container, w.notice.Container, w.stage.Example)
	frame := container.New(kit.Inset{X: 12, Y: 8}, container.NewBorder(top, nil, nil, nil, body))
	least := kit.AtLeast{Width: smallest.Width, Height: smallest.Height}
	return container.New(least, frame, kit.NewGauge(w.repaint), ghost.Layer, kit.NewTips())
}

// repaint paints anew what is painted pixel for pixel, for a finer or a coarser screen.
func (w *Window) repaint() {
	w.stage.Refresh()
	w.inspect.Repaint()
}

// belowMargin is over and under what lies under the picture.
const belowMargin = 4

// smallest is the smallest content of the window, so that it fits with its menus into half of a screen of 1080 lines: 960 × 600.
var smallest = fyne.NewSize(960, 560)

// newReuse wires what takes a finished picture into the next job.
func (w *Window) newReuse() *reuse.Desk {
	samples := sync.OnceValue(func() map[string][]byte {
		list := map[string][]byte{}
		for _, s := range w.opt.Samples {
			list[files.Sum(s.Data)] = s.Data
		}
		return list
	})
	return reuse.New(reuse.Host{
		State: w.state.Now, Change: w.state.Change, Background: w.background, Layers: &w.Layers,
		Store: w.journal.Store, Eye: w.subjects.Eye, Words: w.subjects.Words, Reading: w.subjects.Reading, Small: stage.Small,
		Make:     func(t state.Task) { w.queue.Put(t, false) },
		Resolver: func() func(inference.Request) (inference.Request, error) { return w.models.Engine().Resolve },
		Reach:    func(model string, again func()) (string, func()) { return w.models.Reach(model, again) },
		OnFile:   func(path string) { w.subjects.TakeTo(state.Target{}, []string{path}) },
		LoRAs:    w.opt.LoRAs,
		Samples:  samples,
	})
}

// newSaver wires what writes finished pictures.
func (w *Window) newSaver() *saving.Saver {
	reveal := w.opt.Reveal
	if reveal == nil {
		reveal = func(folder string) error {
			return w.app.OpenURL(&url.URL{Scheme: "file", Path: filepath.ToSlash(folder)})
		}
	}
	return saving.New(saving.Host{
		State: w.state.Now, Change: w.state.Change, Journal: w.journal, Post: w.post, Background: w.background,
		Folder: w.prefs.Folder, FileName: func() string { return w.prefs.FileName }, Embed: w.prefs.Embed,
		SaveFile: w.opt.SaveFile, Reveal: reveal,
		CopyImage: w.opt.CopyImage, CopyFiles: w.opt.CopyFiles,
		OnHeight: func() { w.win.Content().Refresh() },
	})
}

// settingsHost wires the room of the settings.
func (w *Window) settingsHost() settings.Host {
	return settings.Host{
		State: w.state.Now, Change: w.state.Change,
		Shortcut: w.Shortcut, Layers: &w.Layers, Background: w.background, Where: w.computers.Choice,
		Presets: w.prefs.Presets, SavePresets: w.prefs.KeepPresets, Done: w.done,
		Memory:  func() settings.MemoryTeller { teller, _ := w.models.Engine().(settings.MemoryTeller); return teller },
		Library: w.opt.LoRAs, OpenLoRA: w.opt.OpenLoRA,
		LoRAs: func() settings.LoRATeller { teller, _ := w.models.Engine().(settings.LoRATeller); return teller },
		Say:   func(text string, bad bool) { w.notice.Say(kit.Notice{Text: text, Bad: bad}) },
		Encode: func(text string, how prompt.Reading) *prompt.Prompt {
			if e := w.models.Engine(); e != nil {
				return e.Encode(text, how)
			}
			return nil
		},
		Book: wordbook.New(wordbook.Host{
			State: w.state.Now, Change: w.state.Change, Words: w.subjects.Words, Kept: w.app.Preferences(), Layers: &w.Layers, Shortcut: w.Shortcut,
			Done: w.done,
		}),
		OnGenerate: w.queue.Generate, OnStop: w.queue.Stop, OnResume: w.queue.Pause, OnMend: w.subjects.Mend,
		OnRelieved: w.notice.TakeBack,
	}
}

// refresh makes everything on the screen equal to the state, and to what else it shows.
func (w *Window) refresh() { w.state.Refresh() }

// rooms are what the window shows, in the order in which it is rendered.
func (w *Window) rooms() []state.Room {
	return []state.Room{
		{Name: "cards", Shows: w.subjects.ShowsCards, Render: w.subjects.RefreshCards},
		{Name: "prompt", Shows: w.subjects.ShowsPrompt, Render: w.subjects.RefreshPrompt},
		{Name: "queue", Shows: w.queue.Shows, Render: func() { w.queue.Refresh(); w.columns.tabs.follow(w.queue.Jobs()) }},
		{Name: "running", Shows: w.queue.ShowsRunning, Render: w.queue.RefreshRunning},
		{Name: "settings", Shows: w.set.Shows, Render: w.set.Refresh},
		{Name: "run", Shows: w.set.ShowsRun, Render: w.set.RefreshRun},
		{Name: "mask", Shows: w.mask.Shows, Render: w.mask.Refresh},
		{Name: "stage", Shows: w.stage.Shows, Render: w.stage.Refresh}, // with the mask that is painted
		{Name: "saver", Shows: w.saver.Bar.Shows, Render: w.saver.Bar.Follow},
		{Name: "inspection", Shows: w.inspect.Shows, Render: w.inspect.Refresh},
		{Name: "sides", Shows: w.stage.ShowsSides, Render: w.stage.RefreshSides},
		{Name: "sessions", Shows: w.gallery.Shows, Render: w.gallery.Refresh},
		{Name: "tree", Shows: w.gallery.Tree.Shows, Render: w.gallery.Tree.Refresh},
		{Name: "banner", Shows: w.gallery.Banner.Shows, Render: func() { w.gallery.Banner.Follow(w.state.History) }},
		{Name: "models", Shows: w.models.Shows, Render: w.models.Refresh},
		{Name: "grids", Shows: w.grid.Shows, Render: w.grid.Refresh},
		{Name: "computers", Shows: w.computers.Shows, Render: w.computers.Refresh},
		{Name: "columns", Shows: func(state.State) []any { return nil }, Render: w.columns.refresh}, // the preferences decide
		{Name: "leaving", Shows: func(state.State) []any { return []any{w.asks()} }, Render: w.followLeaving},
		// What can be done may depend on anything. They draw only what has changed.
		{Name: "actions", Render: func() { w.RefreshMenus(); w.stage.FollowTools(); kit.FollowTip(w.win.Content()) }},
	}
}

// beforeRooms is what a change brings with it, before the rooms are rendered.
func (w *Window) beforeRooms() {
	w.state.State = w.state.Tidy()
	w.journal.Thumb.Store(int64(w.gallery.ThumbSide()))
	w.undo.Note(w.state.Form, time.Now(), w.state.Picking > 0)
	w.dog.running(w.state.Busy())
	w.subjects.FollowPreset()
	w.session.LoadView()
}
