#!/usr/bin/env bash
# Tries the Linux packages as somebody does who has downloaded them, in a Debian that has nothing else: `make linux-check` calls it with
# VERSION, REALWORD (this machine's program) and the folder of the packages. SUITE is the release of Debian.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.."
package=$(realpath "$1")/Realword-$VERSION-linux-$(dpkg --print-architecture)
for file in "$package.deb" "$package.tar.xz"; do
  [ -e "$file" ] || { echo "There is no $file: run make package-linux first." >&2; exit 1; }
  echo "$(stat -c %s "$file") bytes  $(basename "$file")"
done
desktop-file-validate app/linux/realword.desktop
work=$(mktemp -d)
root=$work/debian
end() { umount "$root/proc" "$root/tmp/.X11-unix" 2>/dev/null || true; rm -rf --one-file-system "$work"; }
trap end EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }
quiet() { "$@" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; fail "$*"; }; }

quiet debootstrap --variant=minbase "${SUITE:-bookworm}" "$root"
mount --bind /proc "$root/proc"
cp /etc/apt/sources.list "$root/etc/apt/" 2>/dev/null || true
cp "$package.deb" assets/samples/dog.png "$root/tmp/"
quiet chroot "$root" apt-get update
quiet chroot "$root" apt-get install -qy --no-install-recommends "/tmp/$(basename "$package.deb")" libgl1-mesa-dri xz-utils
quiet chroot "$root" useradd -m artist
artist() { chroot --userspec=artist:artist "$root" env -i HOME=/home/artist PATH=/usr/bin:/bin "$@"; }
for name in share/doc/realword/copyright share/doc/realword/licences/onnxruntime.txt share/doc/realword/licences/go.txt \
  share/icons/hicolor/512x512/apps/realword.png share/applications/realword.desktop; do
  [ -s "$root/usr/$name" ] || fail "the package does not bring /usr/$name"
done

picture() { artist "$1" generate --prompt 'a dog on the beach' --subject dog=/tmp/dog.png --seed 7 --steps 6 --out "$2" >/dev/null 2>&1; }
XDG_CONFIG_HOME=$work "$REALWORD" generate --device cpu --prompt 'a dog on the beach' --subject dog=assets/samples/dog.png --seed 7 --steps 6 --out "$work/here" >/dev/null 2>&1
alike() { # the program names its pictures alike everywhere
  for file in "$work"/here/*.png; do cmp "$file" "$root$1/$(basename "$file")" || fail "the picture of $1 is not that of this machine"; done
}

artist realword doctor
artist realword doctor --all | grep ' /usr/lib/realword/libonnxruntime.so.1' >/dev/null || fail "the program of the .deb does not find its library"
picture realword /home/artist/deb && alike /home/artist/deb
echo "ok     the .deb: doctor, and the same picture as here"

artist mkdir /home/artist/.local
xz -dc "$package.tar.xz" | artist tar -C /home/artist/.local --strip-components=1 -xf -
artist /home/artist/.local/bin/realword doctor --all | grep ' /home/artist/.local/lib/realword/libonnxruntime.so.1' >/dev/null || fail "the program of the tar.xz does not find its library"
picture /home/artist/.local/bin/realword /home/artist/tar && alike /home/artist/tar
echo "ok     the tar.xz below ~/.local: doctor, and the same picture as here"

mkdir -p /tmp/.X11-unix "$root/tmp/.X11-unix"
mount --bind /tmp/.X11-unix "$root/tmp/.X11-unix"
cat >"$work/window" <<'END'
chroot --userspec=artist:artist "$1" env -i HOME=/home/artist PATH=/usr/bin:/bin DISPLAY="$DISPLAY" realword &
program=$!
for i in $(seq 240); do
  if xdotool search --onlyvisible --name Realword >/dev/null 2>&1; then
    [ -z "${SHOT:-}" ] || { sleep 10; import -window root "$SHOT"; }
    kill "$program"; exit 0
  fi
  kill -0 "$program" 2>/dev/null || exit 1
  sleep 0.5
done
exit 1
END
quiet env -u XAUTHORITY xvfb-run -a -s '-screen 0 1400x900x24 -ac' bash "$work/window" "$root"
echo "ok     the window opens"

quiet chroot "$root" dpkg --purge realword
[ ! -e "$root/usr/lib/realword" ] && [ ! -e "$root/usr/bin/realword" ] || fail "the program is still there after its removal"
[ -d "$root/home/artist/.config/realword" ] && [ -e "$root/home/artist/deb" ] || fail "sessions or pictures went away with the program"
echo "ok     removed; pictures and sessions stay"
