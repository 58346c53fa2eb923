package main

import "realword/app/hdrop"

// reveal shows a folder in the system's file manager.
var reveal = hdrop.Show
