// Another program's window on the right of the screen that takes files: it writes what comes to the file that it is given the name of, a
// line for each thing that happens to it, and ends when something was dropped on it.
#define COBJMACROS
#include <initguid.h>
#include <windows.h>
#include <ole2.h>
#include <shellapi.h>
#include <stdio.h>

static FILE *out;

static HRESULT STDMETHODCALLTYPE query(IDropTarget *me, REFIID iid, void **as) {
  *as = IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_IDropTarget) ? me : NULL;
  return *as ? S_OK : E_NOINTERFACE;
}
static ULONG STDMETHODCALLTYPE keep(IDropTarget *me) { return me ? 2 : 0; }
static ULONG STDMETHODCALLTYPE drop_it(IDropTarget *me) { return me ? 1 : 0; }

static void say(const char *what, DWORD effect) { fprintf(out, "%s %lu\n", what, effect), fflush(out); }

static HRESULT STDMETHODCALLTYPE enter(IDropTarget *me, IDataObject *data, DWORD keys, POINTL at, DWORD *effect) {
  (void)me, (void)data, (void)keys, (void)at;
  say("enter", *effect);
  *effect &= DROPEFFECT_COPY | DROPEFFECT_MOVE;
  return S_OK;
}
static HRESULT STDMETHODCALLTYPE over(IDropTarget *me, DWORD keys, POINTL at, DWORD *effect) {
  (void)me, (void)keys, (void)at;
  *effect &= DROPEFFECT_COPY | DROPEFFECT_MOVE;
  return S_OK;
}
static HRESULT STDMETHODCALLTYPE leave(IDropTarget *me) {
  (void)me;
  say("leave", 0);
  return S_OK;
}
static HRESULT STDMETHODCALLTYPE drop(IDropTarget *me, IDataObject *data, DWORD keys, POINTL at, DWORD *effect) {
  (void)me, (void)keys, (void)at;
  FORMATETC form = {CF_HDROP, NULL, DVASPECT_CONTENT, -1, TYMED_HGLOBAL};
  STGMEDIUM got;
  if (SUCCEEDED(IDataObject_GetData(data, &form, &got))) {
    WCHAR path[1024];
    char text[4096];
    for (UINT i = 0, n = DragQueryFileW((HDROP)got.hGlobal, -1, NULL, 0); i < n; i++) {
      DragQueryFileW((HDROP)got.hGlobal, i, path, 1024);
      WideCharToMultiByte(CP_UTF8, 0, path, -1, text, sizeof text, NULL, NULL);
      fprintf(out, "file %s\n", text);
    }
    ReleaseStgMedium(&got);
  }
  say("drop", *effect);
  *effect &= DROPEFFECT_COPY | DROPEFFECT_MOVE;
  PostQuitMessage(0);
  return S_OK;
}

int wmain(int n, WCHAR **args) {
  static IDropTargetVtbl methods = {query, keep, drop_it, enter, over, leave, drop};
  static IDropTarget target = {&methods};
  if (n != 6 || !(out = _wfopen(args[1], L"w"))) return 2;
  HWND window = CreateWindow(L"STATIC", L"Target", WS_VISIBLE | WS_POPUP | SS_NOTIFY, _wtoi(args[2]), _wtoi(args[3]), _wtoi(args[4]),
                             _wtoi(args[5]), NULL, NULL, NULL, NULL);
  if (FAILED(OleInitialize(NULL)) || FAILED(RegisterDragDrop(window, &target))) return 1;
  say("ready", 0);
  for (MSG m; GetMessage(&m, NULL, 0, 0) > 0; DispatchMessage(&m)) {
  }
  RevokeDragDrop(window);
  OleUninitialize();
  return 0;
}
