package main

import "golang.org/x/sys/windows"

// disguiseClouds has Windows show this program the files of OneDrive and other clouds as plain files, which are fetched when they are
// opened. Before Windows 10, version 1803, there is no such choice.
func disguiseClouds() {
	const disguised = 1 // PHCM_DISGUISE_PLACEHOLDER
	if choose := windows.NewLazySystemDLL("ntdll.dll").NewProc("RtlSetProcessPlaceholderCompatibilityMode"); choose.Find() == nil {
		_, _, _ = choose.Call(disguised) // where it does not work, files.IsFile knows what Go says of them
	}
}
