// realword.com is what a terminal finds under the name "realword": the shells of Windows prefer .com to .exe. The studio itself is a
// program with a window, for which they do not wait and whose output they do not show. This starts realword.exe from its own folder
// with the same arguments and the same input and output, waits, and ends with its exit status.
#define UNICODE
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

// An interrupt goes to every program of the console, and the studio decides what it means.
static BOOL WINAPI leave_it(DWORD event) {
  (void)event;
  return TRUE;
}

// passed is a file or pipe that the studio inherits. A console it opens by itself.
static HANDLE passed(DWORD which) {
  HANDLE h = GetStdHandle(which);
  DWORD mode;
  if (h == NULL || h == INVALID_HANDLE_VALUE || GetConsoleMode(h, &mode)) return NULL;
  SetHandleInformation(h, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
  return h;
}

// arguments is the command line behind the name of the program.
static const wchar_t *arguments(const wchar_t *line) {
  int quoted = 0;
  for (; *line && (quoted || (*line != L' ' && *line != L'\t')); line++)
    if (*line == L'"') quoted = !quoted;
  return line;
}

int main(void) {
  enum { longest = 32768 };
  wchar_t *program = malloc(longest * sizeof *program), *line = malloc(2 * longest * sizeof *line);
  DWORD n = program && line ? GetModuleFileNameW(NULL, program, longest) : 0;
  if (n < 4 || n >= longest) return 1;
  wcscpy(program + n - 4, L".exe");
  swprintf(line, 2 * longest, L"\"%ls\"%ls", program, arguments(GetCommandLineW()));
  STARTUPINFOW start = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES};
  start.hStdInput = passed(STD_INPUT_HANDLE);
  start.hStdOutput = passed(STD_OUTPUT_HANDLE);
  start.hStdError = passed(STD_ERROR_HANDLE);
  SetConsoleCtrlHandler(leave_it, TRUE);
  PROCESS_INFORMATION studio;
  if (!CreateProcessW(program, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &studio)) {
    fwprintf(stderr, L"%ls cannot be started (error %lu): install Realword again.\n", program, GetLastError());
    return 1;
  }
  DWORD status = 1;
  WaitForSingleObject(studio.hProcess, INFINITE);
  GetExitCodeProcess(studio.hProcess, &status);
  return (int)status;
}
