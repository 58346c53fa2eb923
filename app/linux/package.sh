#!/usr/bin/env bash
# Builds the Linux packages, a tar.xz and a .deb of the same tree, which need no Go: `make package-linux` calls it with VERSION, TAGS,
# LIBRARY (ONNX Runtime), LICENCES (the folder of its licences), NFPM (the command) and the folder that the packages go to. The same
# commit makes the same packages.
set -euo pipefail
out=$(realpath -m "$1")
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
arch=$(go env GOARCH)
name=$out/Realword-$VERSION-linux-$arch
made=$(git log -1 --format=%ct 2>/dev/null || date +%s)

# The tree is that of /usr and of ~/.local alike. The program finds the library beside itself.
tree=$work/realword-$VERSION
doc=$tree/share/doc/realword
mkdir -p "$out" "$tree"/{bin,lib/realword,share/applications} "$tree/share/icons/hicolor/512x512/apps" "$doc/licences"
nice go build -tags "$TAGS" -trimpath -ldflags '-s -w' -o "$tree/lib/realword/realword" ./app
cp -L "$LIBRARY" "$tree/lib/realword/libonnxruntime.so.1"
ln -s ../lib/realword/realword "$tree/bin/realword"
cp app/linux/realword.desktop "$tree/share/applications/"
cp assets/icon.png "$tree/share/icons/hicolor/512x512/apps/realword.png"
cp LICENSE "$doc/copyright"
cp NOTICE "$doc/"
app/licences.sh "$doc/licences" "$LICENCES"
chmod -R u=rwX,go=rX "$tree"

tar -C "$work" --sort=name --mtime="@$made" --owner=0 --group=0 --numeric-owner -cf - "realword-$VERSION" | nice xz -T2 -6 >"$name.tar.xz"

# What the package depends on: the C library by the newest of its symbols that are used, the rest by name. GLFW opens the libraries of
# X11 when the window opens.
libc=$(objdump -T "$tree/lib/realword/realword" "$tree/lib/realword/libonnxruntime.so.1" | grep -oE 'GLIBC_[0-9.]+' | sort -uV | tail -n 1)
cat >"$work/nfpm.yaml" <<END
name: realword
arch: $arch
version: $VERSION
section: graphics
priority: optional
maintainer: The Realword authors <authors@realword.invalid>
description: |-
  pictures of your own subjects, word by word
  Realword binds your own pictures to words of a prompt and makes new pictures
  with them, by the method RealCustom++. A small model is built in, larger ones
  are downloaded or imported.
homepage: $(sed -n 's/^Website = "\(.*\)"/\1/p' FyneApp.toml)
mtime: $(date -u -d "@$made" +%FT%TZ)
depends:
  - libc6 (>= ${libc#GLIBC_})
  - libstdc++6
  - libgcc-s1
  - libgl1
  - libglib2.0-0 | libglib2.0-0t64
  - libgtk-3-0 | libgtk-3-0t64
  - libwayland-client0
  - libwayland-cursor0
  - libwayland-egl1
  - libx11-6
  - libxcursor1
  - libxi6
  - libxinerama1
  - libxkbcommon0
  - libxrandr2
  - libxxf86vm1
recommends:
  - libgl1-mesa-dri
  - mesa-vulkan-drivers
  - xdg-utils
suggests:
  - wl-clipboard
  - xclip
contents:
  - src: $tree
    dst: /usr
    type: tree
deb:
  compression: zstd
END
nice $NFPM package --config "$work/nfpm.yaml" --packager deb --target "$name.deb" >/dev/null
ls -l "$name.tar.xz" "$name.deb"
