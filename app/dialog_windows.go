package main

/*
#cgo LDFLAGS: -lole32 -luuid -lshell32
#define COBJMACROS
#include <stdlib.h>
#include <windows.h>
#include <shobjidl.h>

typedef struct {
  HWND owner;
  int save, folders, many;
  const wchar_t *title, *filter, *patterns, *ending, *name, *folder; // NULL: none
} dialog;

// dialog_set says what the dialog asks for.
static HRESULT dialog_set(IFileDialog *d, const dialog *o) {
  FILEOPENDIALOGOPTIONS options;
  HRESULT r = IFileDialog_GetOptions(d, &options);
  if (FAILED(r)) return r;
  options |= FOS_FORCEFILESYSTEM | FOS_NOCHANGEDIR;
  if (o->folders) options |= FOS_PICKFOLDERS;
  if (o->many) options |= FOS_ALLOWMULTISELECT;
  if (o->save) options |= FOS_OVERWRITEPROMPT; else options |= FOS_FILEMUSTEXIST;
  if (FAILED(r = IFileDialog_SetOptions(d, options))) return r;
  if (FAILED(r = IFileDialog_SetTitle(d, o->title))) return r;
  if (o->filter != NULL) {
    COMDLG_FILTERSPEC kinds = {o->filter, o->patterns};
    if (FAILED(r = IFileDialog_SetFileTypes(d, 1, &kinds))) return r;
  }
  if (o->ending != NULL && FAILED(r = IFileDialog_SetDefaultExtension(d, o->ending))) return r;
  if (o->name != NULL && FAILED(r = IFileDialog_SetFileName(d, o->name))) return r;
  IShellItem *folder;
  if (o->folder != NULL && SUCCEEDED(SHCreateItemFromParsingName(o->folder, NULL, &IID_IShellItem, (void **)&folder))) {
    IFileDialog_SetFolder(d, folder); // else the system chooses
    IShellItem_Release(folder);
  }
  return S_OK;
}

// dialog_add puts the path of an item behind those that are there, each with a zero behind it, and another zero behind all.
static HRESULT dialog_add(IShellItem *item, wchar_t **paths, size_t *length) {
  wchar_t *path;
  HRESULT r = IShellItem_GetDisplayName(item, SIGDN_FILESYSPATH, &path);
  if (FAILED(r)) return r;
  size_t n = wcslen(path) + 1;
  wchar_t *all = realloc(*paths, (*length + n + 1) * sizeof(wchar_t));
  if (all != NULL) {
    memcpy(all + *length, path, n * sizeof(wchar_t));
    all[*length += n] = 0;
    *paths = all;
  }
  CoTaskMemFree(path);
  return all == NULL ? E_OUTOFMEMORY : S_OK;
}

// dialog_chosen reads what was chosen.
static HRESULT dialog_chosen(IFileDialog *d, const dialog *o, wchar_t **paths) {
  size_t length = 0;
  IShellItem *item;
  HRESULT r;
  if (!o->many) {
    if (FAILED(r = IFileDialog_GetResult(d, &item))) return r;
    r = dialog_add(item, paths, &length);
    IShellItem_Release(item);
    return r;
  }
  IShellItemArray *items;
  DWORD n;
  if (FAILED(r = IFileOpenDialog_GetResults((IFileOpenDialog *)d, &items))) return r;
  r = IShellItemArray_GetCount(items, &n);
  for (DWORD i = 0; SUCCEEDED(r) && i < n; i++) {
    if (FAILED(r = IShellItemArray_GetItemAt(items, i, &item))) break;
    r = dialog_add(item, paths, &length);
    IShellItem_Release(item);
  }
  IShellItemArray_Release(items);
  return r;
}

// dialog_run shows a dialog until it is closed, in front of its owner, which takes no clicks meanwhile. free() frees the paths.
static HRESULT dialog_run(const dialog *o, wchar_t **paths) {
  IFileDialog *d;
  HRESULT r = CoInitializeEx(NULL, COINIT_APARTMENTTHREADED | COINIT_DISABLE_OLE1DDE);
  if (FAILED(r)) return r;
  if (o->save)
    r = CoCreateInstance(&CLSID_FileSaveDialog, NULL, CLSCTX_INPROC_SERVER, &IID_IFileSaveDialog, (void **)&d);
  else
    r = CoCreateInstance(&CLSID_FileOpenDialog, NULL, CLSCTX_INPROC_SERVER, &IID_IFileOpenDialog, (void **)&d);
  if (SUCCEEDED(r)) {
    if (SUCCEEDED(r = dialog_set(d, o)) && SUCCEEDED(r = IFileDialog_Show(d, o->owner))) r = dialog_chosen(d, o, paths);
    IFileDialog_Release(d);
  }
  CoUninitialize();
  return r;
}

static void dialog_front(HWND owner) { SetForegroundWindow(GetLastActivePopup(owner)); }
*/
import "C"

import (
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"realword/inference/message"
)

// cancelled is what Windows answers where nothing was chosen.
const cancelled = 0x800704c7

func (d fileDialog) run() (paths []string, err error) {
	runtime.LockOSThread() // a dialog belongs to the thread that made it
	defer runtime.UnlockOSThread()
	var keep []unsafe.Pointer
	defer func() {
		for _, p := range keep {
			C.free(p)
		}
	}()
	text := func(s string) *C.wchar_t {
		list, err := syscall.UTF16FromString(s)
		if err != nil || s == "" {
			return nil // a zero in it
		}
		p := C.malloc(C.size_t(2 * len(list)))
		keep = append(keep, p)
		copy(unsafe.Slice((*uint16)(p), len(list)), list)
		return (*C.wchar_t)(p)
	}
	o := C.dialog{
		owner: C.HWND(unsafe.Pointer(studioWindow())), title: text(d.title), name: text(d.name), folder: text(d.folder), filter: text(d.filter),
	}
	if d.filter != "" {
		o.patterns = text("*." + strings.Join(d.extensions, ";*."))
	}
	switch {
	case d.kind == dialogSave:
		o.save = 1
		if len(d.extensions) > 0 {
			o.ending = text(d.extensions[0])
		}
	case d.kind == dialogFolder:
		o.folders = 1
	case d.many:
		o.many = 1
	}
	var list *C.wchar_t
	result := C.dialog_run(&o, &list)
	defer C.free(unsafe.Pointer(list))
	if uint32(result) == cancelled {
		return nil, nil
	}
	if result < 0 {
		return nil, message.Errorf("Windows cannot show its file dialog (%s): drop the file on the window", fmt.Sprintf("%#x", uint32(result)))
	}
	for at := (*uint16)(unsafe.Pointer(list)); at != nil && *at != 0; {
		n := 0
		for *(*uint16)(unsafe.Add(unsafe.Pointer(at), 2*n)) != 0 {
			n++
		}
		paths = append(paths, syscall.UTF16ToString(unsafe.Slice(at, n)))
		at = (*uint16)(unsafe.Add(unsafe.Pointer(at), 2*(n+1)))
	}
	return paths, nil
}

// dialogToFront brings the dialog that is shown before the other windows.
func dialogToFront() { C.dialog_front(C.HWND(unsafe.Pointer(studioWindow()))) }

// endDialogs does nothing: the dialog that is shown goes with the program.
func endDialogs() {}
