; The installer: makensis -DVERSION=… -DFILES=folder -DOUT=setup.exe installer.nsi
; Everything goes into folders of the user, so that nobody is asked for an administrator's password. Models, sessions and settings are
; in other folders (%LOCALAPPDATA%\realword, %APPDATA%\realword), pictures in the user's own: neither is touched.

Unicode true
Target amd64-unicode
SetCompressor /SOLID lzma
!include MUI2.nsh
!include FileFunc.nsh
!include LogicLib.nsh

!define KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\Realword"

Name "Realword"
OutFile "${OUT}"
RequestExecutionLevel user
InstallDir "$LOCALAPPDATA\Programs\Realword"
InstallDirRegKey HKCU "${KEY}" InstallLocation
ManifestDPIAware true
VIProductVersion "${VERSION}.0"
VIAddVersionKey ProductName "Realword"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey FileDescription "Realword Setup"
VIAddVersionKey CompanyName "The Realword authors"
VIAddVersionKey LegalCopyright "Apache License 2.0"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_FINISHPAGE_RUN "$INSTDIR\realword.exe"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE English

; A program that runs cannot be written to.
!macro CLOSED
  ${If} ${FileExists} "$INSTDIR\realword.exe"
    ClearErrors
    FileOpen $0 "$INSTDIR\realword.exe" a
    ${If} ${Errors}
      MessageBox MB_OK|MB_ICONEXCLAMATION "Realword is open. Close it, then try again." /SD IDOK
      SetErrorLevel 2
      Quit
    ${EndIf}
    FileClose $0
  ${EndIf}
!macroend

Section
  ; A folder that somebody has chosen may be another program's, with an uninstaller of its own: that stays, and Realword goes into a folder
  ; below it.
  ReadRegStr $0 HKCU "${KEY}" InstallLocation
  ${If} $0 != "$INSTDIR"
  ${AndIf} ${FileExists} "$INSTDIR\uninstall.exe"
  ${AndIfNot} ${FileExists} "$INSTDIR\realword.exe"
    StrCpy $INSTDIR "$INSTDIR\Realword"
  ${EndIf}
  !insertmacro CLOSED
  ; What the version before has and this one has not would stay for ever, and a library be loaded. Only that version knows what it installed.
  ${If} ${FileExists} "$INSTDIR\uninstall.exe"
    ExecWait '"$INSTDIR\uninstall.exe" /S _?=$INSTDIR'
  ${EndIf}
  SetOutPath "$INSTDIR"
  File /r "${FILES}/*"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortcut "$SMPROGRAMS\Realword.lnk" "$INSTDIR\realword.exe"
  WriteRegStr HKCU "${KEY}" DisplayName "Realword"
  WriteRegStr HKCU "${KEY}" DisplayVersion "${VERSION}"
  WriteRegStr HKCU "${KEY}" DisplayIcon "$INSTDIR\realword.exe"
  WriteRegStr HKCU "${KEY}" Publisher "The Realword authors"
  WriteRegStr HKCU "${KEY}" InstallLocation "$INSTDIR"
  WriteRegStr HKCU "${KEY}" UninstallString '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${KEY}" QuietUninstallString '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${KEY}" NoModify 1
  WriteRegDWORD HKCU "${KEY}" NoRepair 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD HKCU "${KEY}" EstimatedSize $0
SectionEnd

; What was installed goes, by name. What somebody else has put into the folder stays, and the folder with it.
Section Uninstall
  !insertmacro CLOSED
  !include "${REMOVALS}"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\Realword.lnk"
  DeleteRegKey HKCU "${KEY}"
SectionEnd
