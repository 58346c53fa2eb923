#!/usr/bin/env bash
# Puts the licence of everything that is inside the program into a folder, for packages: licences.sh FOLDER FURTHER..., where FURTHER are
# folders with licences of what no Go module brings. TAGS, GOOS and GOARCH of the environment say which program.
set -euo pipefail
out=$1
shift
for dir; do cp "$dir"/*.txt "$out/"; done
cp "$(go env GOROOT)/LICENSE" "$out/go.txt"
go list -tags "$TAGS" -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' ./app | sort -u | while read -r module dir; do
  for file in "$dir"/LICEN* "$dir"/COPYING* "$dir"/NOTICE*; do
    [ ! -f "$file" ] || cat "$file" >>"$out/${module//\//-}.txt"
  done
  [ -s "$out/${module//\//-}.txt" ] || { echo "$module has no licence that could go into the package." >&2; exit 1; }
done
