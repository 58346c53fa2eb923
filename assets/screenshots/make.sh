#!/usr/bin/env bash
# Takes pictures of the screens of the studio that the documentation shows: the example, and a run of its own, with the embedded model, on a
# virtual screen of the window's own size. All but the example is reached by keys. Run it with `make screenshots`.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$PWD/assets/screenshots
if [ "${1:-}" != inside ]; then
  for tool in xvfb-run xdotool import convert; do
    command -v "$tool" >/dev/null || { echo "Screenshots need $tool: sudo apt-get install xvfb xauth xdotool imagemagick" >&2; exit 1; }
  done
  exec xvfb-run -a -s '-screen 0 1240x800x24' "$0" inside
fi
program= folder=$(mktemp -d)
trap 'kill $program 2>/dev/null || true; rm -rf "$folder"' EXIT
settle=${SETTLE:-1.5}
key() { xdotool key --delay 60 "$@"; sleep "$settle"; }
# keep FILE NAME: as a PNG of few colours
keep() {
  grep -rqF "screenshots/$2-$look.png" README.md docs || return 0
  convert "$1" -dither None -colors 200 "PNG8:$out/$2-$look.png"
  [ "$(stat -c %s "$out/$2-$look.png")" -lt 150000 ] || convert "$1" -dither None -colors 64 "PNG8:$out/$2-$look.png"
}
shot() { sleep "$settle"; import -window root "$folder/shot.png"; keep "$folder/shot.png" "$1"; }
cache=${XDG_CACHE_HOME:-$HOME/.cache}
# studio: starts the program and waits until model and history are open behind the window
studio() {
  HOME=$home XDG_CACHE_HOME=$cache XDG_DATA_HOME= XDG_CONFIG_HOME=$home XDG_PICTURES_DIR=$pictures WAYLAND_DISPLAY= LIBGL_ALWAYS_SOFTWARE=1 bin/realword &
  program=$!
  window=$(xdotool search --sync --onlyvisible --name '^Realword' | head -n 1)
  sleep "${OPENING:-6}"
  xdotool windowfocus "$window"
  xdotool mousemove 1 799
}
for look in dark light; do
  home=$folder/$look pictures=$folder/$look/pictures
  mkdir -p "$home/fyne/org.realword.studio" "$pictures"
  printf '{"preferences":"{\\"Look\\":\\"%s\\"}"}' "$look" > "$home/fyne/org.realword.studio/preferences.json"
  go run ./app/synthetic --out "$home/Downloads/RealCustom" --width tiny >/dev/null # a model beside the embedded one
  bin/realword model import "$home/Downloads/RealCustom" --out "$home/.local/share/realword/models/RealCustom++" >/dev/null 2>&1
  studio
  key Escape
  xdotool mousemove 624 482 sleep 0.3 mousemove 625 483 sleep 0.3 click 1 sleep 2 mousemove 1 799 # Show me an example
  shot done
  key shift+Left shift+Left shift+Left shift+Left shift+Left shift+Left shift+Left shift+Left shift+Left shift+Left shift+Left shift+Left shift+Left shift+Left shift+Left
  shot step
  key k; shot inspect; key Escape
  key b; key bracketright bracketright Left shift+Right shift+Right shift+Right shift+Down shift+Down shift+Down shift+Down; shot mask
  key ctrl+z ctrl+z ctrl+z ctrl+z ctrl+z ctrl+z ctrl+z; key Escape
  key ctrl+comma; shot preferences; key Escape
  key F1; shot keys; key Escape
  key shift+F1; shot about; key Escape
  before=$(find "$pictures" -name '*.png' | wc -l)
  xdotool key ctrl+Return
  rm -f "$folder"/frame-*
  frame=1000
  until [ "$(find "$pictures" -name '*.png' | wc -l)" -gt "$before" ] || [ $frame -ge 1400 ]; do
    frame=$((frame + 1))
    import -window root "$folder/frame-$frame.png"
  done
  running=("$folder"/frame-*)
  keep "${running[$((${#running[@]} * 3 / 4))]}" running
  sleep 2
  key m; shot compare; key Escape
  key r; shot next; key Escape
  key f; shot picture; key f
  key shift+t; shot rounds; key shift+t
  key ctrl+h; sleep 1; shot sessions; key Escape
  key ctrl+shift+m; sleep 1; key Down; shot models; key Escape
  key ctrl+l; xdotool type --delay 40 ' at night, '; xdotool mousemove 614 420 click 1; key a; shot recipe; key Escape
  xdotool mousemove 1 799
  key ctrl+n; shot start
  kill -TERM $program
  wait $program || true
  truncate -s 5000 "$home/realword/history.db"
  studio
  shot banner
  kill -TERM $program
  wait $program || true
done
XDG_CONFIG_HOME=$folder XDG_PICTURES_DIR=$folder bin/realword generate --prompt 'a mushroom in a flower meadow' \
  --subject mushroom=assets/samples/mushroom.png --seed "${SEED:-5}" --film --out "$folder/film" >/dev/null
convert "$folder"/film/*-film.png -dither None -colors 200 "PNG8:$out/film.png"
ls -l "$out"
