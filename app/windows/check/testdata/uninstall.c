// Stands for the uninstaller of a former version: it removes former.dll, which that one had, from the folder that it is told.
#include <stdio.h>
#include <string.h>
#include <windows.h>

int main(void) {
  const char *folder = strstr(GetCommandLineA(), "_?=");
  char path[4096];
  if (!folder || !strstr(GetCommandLineA(), "/S")) return 1;
  snprintf(path, sizeof path, "%s\\former.dll", folder + 3);
  return !DeleteFileA(path);
}
