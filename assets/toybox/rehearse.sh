#!/bin/bash
# What `make device-train` prints, here and small: from a copy of exactly what travels, without network, on the processor. Then what came
# back becomes a bundle and a picture, and once more with a run that is killed after its first save.
#   rehearse.sh CARRY REALWORD SECONDS      in the root of the repository; PYTHON has torch, timm and transformers
set -euo pipefail
carry=$1 realword=$(realpath "$2") seconds=$3 python=${PYTHON:-python3}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
{ git ls-files -z --cached --others --exclude-standard; find "$carry" -type f -print0; } | tar --null --ignore-failed-read -T - -cf - | tar -xf - -C "$root"
alone=(); if unshare -rn true 2>/dev/null; then alone=(unshare -rn); else echo "The network stays reachable: unshare does not work here."; fi
small=(--render 1 --scenes 300 --batch 8 --compile eager --show 2 6 --device cpu --shares .3 .15 .55 --save "$((seconds / 6))" --say 2 --warm --eyes .2)

run() { (cd "$root" && PYTHON=$python exec setsid "${alone[@]}" sh assets/toybox/device.sh "$carry" "$1" "$seconds" "${small[@]}"); }

# back OUT WORK: what came back, as a bundle
back() {
  "$python" assets/toybox/toybox.py --join "$1" --work "$2" && "$python" assets/toybox/export.py --work "$2" --out "$2/checkpoint" >/dev/null
  "$realword" model import "$2/checkpoint" --out "$2/bundle" >/dev/null
}

run "$root/out"
times | tail -n 1 | awk '{ print "processor time of the run (user, system):", $1, $2 }'
count=$(find "$root/out" -type f | wc -l) bytes=$(cat "$root"/out/* | wc -c) largest=$(stat -c %s "$root"/out/* | sort -n | tail -n 1)
echo "left behind: $count files, $bytes bytes, the largest has $largest"
[ "$count" -le 8 ] && [ "$bytes" -le $((64 << 20)) ] && [ "$largest" -le $((16 << 20)) ] || { echo "That is more than comes back." >&2; exit 1; }
[ -s "$root/out/sheet.png" ] && [ -s "$root/out/figures.json" ]
back "$root/out" "$root/joined"
"$realword" generate --model "$root/joined/bundle" --prompt 'a cat on the beach' --subject cat=assets/samples/cat.png --seed 1 --out "$root/pictures" >/dev/null
find "$root/pictures" -name '*.png' -size +1k | grep -q . && echo "The joined weights make a picture."

run "$root/killed" >/dev/null 2>&1 &
until cat "$root"/killed/weights-*.safetensors 2>/dev/null | grep -aq average/joint; do sleep .2; kill -0 $! || { echo "It ended before its first save." >&2; exit 1; }; done
kill -KILL -- -$!
back "$root/killed" "$root/rest"
echo "A run killed after its first save leaves a model as well."
