#!/usr/bin/env bash
# Builds Realword.app and a zip of it, which need no Go: `make package` on macOS calls it with VERSION, TAGS, LIBRARY (ONNX Runtime), LICENCES
# (the folder of its licences), FYNE (the command), SIGN (who signs it, as codesign knows him; - is nobody) and the folder that both go to.
set -euo pipefail
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
app=$work/Realword.app
contents=$app/Contents

# The oldest macOS that ONNX Runtime's library runs on (its LC_BUILD_VERSION). Without a word, the compiler builds for the system it is on.
oldest=14.0
export CGO_CFLAGS="${CGO_CFLAGS--O2 -g} -mmacosx-version-min=$oldest" CGO_LDFLAGS="${CGO_LDFLAGS--O2 -g} -mmacosx-version-min=$oldest"
nice go build -tags "$TAGS" -trimpath -ldflags '-s -w' -o "$work/realword" ./app

# Fyne writes the bundle with its Info.plist and the icon. It counts a build in the FyneApp.toml that it has read: it has one of its own.
mkdir -p "$work/source/assets"
cp FyneApp.toml "$work/source/"
cp assets/icon.png assets/assets.go "$work/source/assets/"
(cd "$work" && $FYNE package --os darwin --executable "$work/realword" --src "$work/source")

# What Fyne does not say of the program: the languages of its texts, in which the system then says its own (panels to open and save, the
# menu with Hide and Quit), one for each file of translations.
info=$contents/Info.plist
say() { # KEY TYPE VALUE
  plutil -remove "$1" "$info" >/dev/null 2>&1 || true
  plutil -insert "$1" "$2" "$3" "$info"
}
languages=$(cd assets/translations && printf '"%s",' *.json)
languages=${languages//.json/}
say CFBundleLocalizations -json "[${languages%,}]"
say CFBundleDevelopmentRegion -string en
say LSMinimumSystemVersion -string $oldest
say NSLocalNetworkUsageDescription -string "$(sed -n 's/^"NSLocalNetworkUsageDescription" = "\(.*\)";$/\1/p' app/darwin/languages/en.strings)"
say LSApplicationCategoryType -string public.app-category.graphics-design

for strings in app/darwin/languages/*.strings; do
  lproj=$contents/Resources/$(basename "$strings" .strings).lproj
  mkdir -p "$lproj"
  cp "$strings" "$lproj/InfoPlist.strings"
done

# The program finds the library beside itself.
cp -L "$LIBRARY" "$contents/MacOS/libonnxruntime.1.dylib"
mkdir -p "$contents/Resources/licences"
cp LICENSE NOTICE "$contents/Resources/"
app/licences.sh "$contents/Resources/licences" "$LICENCES"
chmod -R u=rwX,go=rX "$app"

# Every Mac with a processor of Apple's runs only what is signed, if by nobody, and takes an app that came over the network and is not sealed
# for damaged. What lies in the bundle is signed before the bundle is.
codesign --force --sign "$SIGN" "$contents/MacOS/libonnxruntime.1.dylib"
codesign --force --sign "$SIGN" "$app"
codesign --verify --deep --strict "$app"

name=Realword-$VERSION-macos-$(go env GOARCH).zip
rm -rf "$out/Realword.app" "$out/$name"
mv "$app" "$out/"
ditto -c -k --keepParent "$out/Realword.app" "$out/$name"
ls -ld "$out/Realword.app" "$out/$name"
