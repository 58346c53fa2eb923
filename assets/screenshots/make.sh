#!/usr/bin/env bash
# Takes the pictures of the README: the studio during and after a run, with a sample reference and the embedded model, on a
# virtual screen of the window's own size. Run it with `make screenshots`.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$PWD/assets/screenshots
if [ "${1:-}" != inside ]; then
  for tool in xvfb-run xdotool import; do
    command -v "$tool" >/dev/null || { echo "Screenshots need $tool: sudo apt-get install xvfb xauth xdotool imagemagick" >&2; exit 1; }
  done
  exec xvfb-run -a -s '-screen 0 1240x800x24' "$0" inside
fi
pictures=$(mktemp -d) frames=$(mktemp -d)
XDG_PICTURES_DIR=$pictures WAYLAND_DISPLAY= LIBGL_ALWAYS_SOFTWARE=1 bin/realword ${MODEL:+--model "$MODEL"} &
program=$!
trap 'kill $program 2>/dev/null || true; rm -rf "$pictures" "$frames"' EXIT
click() { xdotool mousemove $(($1 - 9)) "$2" sleep 0.3 mousemove "$1" "$2" sleep 0.3 click 1 sleep 1; }
window=$(xdotool search --sync --onlyvisible --name '^Realword' | head -n 1)
sleep "${SETTLE:-5}" # the model opens behind the window
xdotool windowfocus "$window"
click 600 75
xdotool type --delay 30 'a dinosaur on the beach'
sleep 1
click 243 685 # the sample dinosaur; it knows its word
xdotool key ctrl+Return
frame=1000
until [ -n "$(find "$pictures" -name '*.png')" ]; do
  frame=$((frame + 1))
  import -window root "$frames/$frame.png"
done
running=($(ls "$frames"))
cp "$frames/${running[$((${#running[@]} * 3 / 4))]}" "$out/running.png"
sleep 2
import -window root "$out/done.png"
kill -INT $program
wait $program || true
echo "wrote $out/running.png and $out/done.png"
