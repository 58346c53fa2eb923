#!/usr/bin/env bash
# Builds the Windows packages on Linux; `make package-windows` calls it with VERSION, TAGS, LIBRARIES (the folder of ONNX Runtime and
# what it needs), LICENCES (the folder of its licences) and the folder that the packages go to.
set -euo pipefail
out=$(realpath -m "$1")
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
files=$work/Realword
licences=$files/licences
mkdir -p "$licences" "$out"
export GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc

# Icon, version and manifest. The installer wants the icon as a file.
winres() { env -u GOOS -u GOARCH -u CC go run github.com/tc-hib/go-winres@v0.3.3 "$@"; }
winres make --in "$here/resources.json" --out "$work/resources" --arch amd64 --product-version "$VERSION" --file-version "$VERSION"
resources=$work/resources_windows_amd64.syso
$CC -O2 -s -static -Wall -Wextra -o "$files/realword.com" "$here/launcher.c" "$resources"
cp "$files/realword.com" "$work/launcher.exe"
winres extract --dir "$work/icon" "$work/launcher.exe"

nice go build -tags "$TAGS" -trimpath -ldflags "-H windowsgui -s -w -linkmode external -extldflags '-static $resources'" \
  -o "$files/realword.exe" ./app
cp "$LIBRARIES"/*.dll "$files/"

# The licence of everything that is inside.
cp LICENSE NOTICE "$files/"
app/licences.sh "$licences" "$LIBRARIES/licences" "$LICENCES"
chmod -R u=rwX,go=rX "$files"

# What the uninstaller removes: these files, and folders that are empty then.
(cd "$files" && find . -type f -printf '%P\n' | sort | sed 's#/#\\#g; s#.*#Delete "$INSTDIR\\&"#' && find . -mindepth 1 -depth -type d -printf '%P\n' |
  sed 's#/#\\#g; s#.*#RMDir "$INSTDIR\\&"#') >"$work/removals.nsh"

name=$out/Realword-$VERSION-windows-x64
rm -f "$name.zip" "$name-setup.exe"
(cd "$work" && zip -9qrX "$name.zip" Realword)
nice makensis -V2 "-DVERSION=$VERSION" "-DFILES=$files" "-DICON=$work/icon/APP_0000.ico" "-DREMOVALS=$work/removals.nsh" "-DOUT=$name-setup.exe" \
  "$here/installer.nsi"
ls -l "$name.zip" "$name-setup.exe"
