package main

/*
#cgo pkg-config: gtk+-3.0
#include <locale.h>
#include <stdlib.h>
#include <gtk/gtk.h>
#include <gdk/gdkx.h>

// dialog_init starts GTK in the locale of this thread alone: it would set that of the whole process, with other decimal points.
static int dialog_init(void) {
  gtk_disable_setlocale();
  locale_t users = newlocale(LC_ALL_MASK, "", (locale_t)0);
  if (users != (locale_t)0) uselocale(users);
  return gtk_init_check(NULL, NULL);
}

static GtkFileFilter *dialog_filter(GtkFileChooser *chooser, const char *name) {
  GtkFileFilter *filter = gtk_file_filter_new();
  gtk_file_filter_set_name(filter, name);
  gtk_file_chooser_add_filter(chooser, filter);
  return filter;
}

static GtkFileChooser *dialog_new(const char *title, int action) {
  GtkFileChooserNative *d = gtk_file_chooser_native_new(title, NULL, action, NULL, NULL);
  gtk_file_chooser_set_do_overwrite_confirmation(GTK_FILE_CHOOSER(d), TRUE);
  return GTK_FILE_CHOOSER(d);
}

// dialog_front has the dialog stay over the studio's window, which is no window of GTK's, and brings it before all others.
static gboolean dialog_front(gpointer studio) {
  GList *all = gtk_window_list_toplevels();
  for (GList *l = all; l != NULL; l = l->next) {
    if (!GTK_IS_FILE_CHOOSER_DIALOG(l->data) || !gtk_widget_get_visible(GTK_WIDGET(l->data))) continue;
    GdkWindow *w = gtk_widget_get_window(GTK_WIDGET(l->data));
    if (w != NULL && GDK_IS_X11_WINDOW(w) && studio != NULL)
      XSetTransientForHint(GDK_WINDOW_XDISPLAY(w), GDK_WINDOW_XID(w), (Window)GPOINTER_TO_SIZE(studio));
    gtk_window_present(GTK_WINDOW(l->data));
  }
  g_list_free(all);
  return G_SOURCE_REMOVE;
}

// dialog_to_front may be called on any thread.
static void dialog_to_front(guintptr studio) { g_idle_add(dialog_front, (gpointer)studio); }

// dialog_run shows the dialog until it is closed and returns the paths, or NULL.
static GSList *dialog_run(GtkFileChooser *chooser, guintptr studio) {
  GSList *paths = NULL;
  dialog_to_front(studio); // when it is there
  if (gtk_native_dialog_run(GTK_NATIVE_DIALOG(chooser)) == GTK_RESPONSE_ACCEPT) paths = gtk_file_chooser_get_filenames(chooser);
  g_object_unref(chooser);
  while (gtk_events_pending()) gtk_main_iteration(); // nobody else runs a loop that takes it from the screen
  return paths;
}
*/
import "C"

import (
	"runtime"
	"sync"
	"unsafe"

	"realword/inference/message"
)

// gtk is the thread that all of GTK runs on. It begins with the first dialog: GTK opens the display, and a command has no use for one.
var gtk struct {
	sync.Once
	work   chan func()
	usable bool
}

// onGTK runs f on GTK's thread, after what is there already.
func onGTK(f func()) error {
	gtk.Do(func() {
		gtk.work = make(chan func())
		began := make(chan bool)
		go func() {
			runtime.LockOSThread()
			began <- C.dialog_init() != 0
			for f := range gtk.work {
				f()
			}
		}()
		gtk.usable = <-began
	})
	if !gtk.usable {
		return message.New("the file dialog cannot be opened because GTK finds no display: drop the file on the window")
	}
	done := make(chan struct{})
	gtk.work <- func() { f(); close(done) }
	<-done
	return nil
}

var dialogActions = map[dialogKind]C.int{
	dialogOpen: C.GTK_FILE_CHOOSER_ACTION_OPEN, dialogSave: C.GTK_FILE_CHOOSER_ACTION_SAVE,
	dialogFolder: C.GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER,
}

func (d fileDialog) run() (paths []string, err error) {
	studio := C.guintptr(studioWindow())
	err = onGTK(func() {
		var strings []unsafe.Pointer
		text := func(s string) *C.char {
			c := C.CString(s)
			strings = append(strings, unsafe.Pointer(c))
			return c
		}
		defer func() {
			for _, c := range strings {
				C.free(c)
			}
		}()
		chooser := C.dialog_new(text(d.title), dialogActions[d.kind])
		if d.many {
			C.gtk_file_chooser_set_select_multiple(chooser, C.TRUE)
		}
		if d.filter != "" {
			filter := C.dialog_filter(chooser, text(d.filter))
			for _, e := range d.extensions {
				C.gtk_file_filter_add_pattern(filter, text("*."+e))
			}
		}
		if d.folder != "" {
			C.gtk_file_chooser_set_current_folder(chooser, text(d.folder))
		}
		if d.name != "" {
			C.gtk_file_chooser_set_current_name(chooser, text(d.name))
		}
		list := C.dialog_run(chooser, studio)
		for l := list; l != nil; l = l.next {
			paths = append(paths, C.GoString((*C.char)(l.data)))
			C.g_free(C.gpointer(l.data))
		}
		C.g_slist_free(list)
	})
	return paths, err
}

// dialogToFront brings the dialog that is shown before the other windows.
func dialogToFront() { C.dialog_to_front(0) }

// endDialogs does nothing: the dialog that is shown goes with the program.
func endDialogs() {}
