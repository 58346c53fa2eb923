#!/bin/bash
# What `make device-train` prints, here and small: from a copy of exactly what travels, without network, on the processor. Then what came
# back becomes a bundle and a picture, and once more with a run that is killed after its first save.
#   rehearse.sh CARRY REALWORD SECONDS      in the root of the repository; PYTHON has torch, timm and transformers
set -euo pipefail
carry=$1 realword=$(realpath "$2") seconds=$3 python=${PYTHON:-python3}
root=$(mktemp -d)
export TMPDIR=$root LATE=1800 OMP_NUM_THREADS=1  # on a busy machine drawing takes what it takes, and two threads wait for each other
trap '[ ! -f "$root/killed.pid" ] || kill -KILL -- "-$(cat "$root/killed.pid")" 2>/dev/null || true; rm -rf "$root"' EXIT
{ git ls-files -z --cached --others --exclude-standard; find "$carry" -type f -print0; } | tar --null --ignore-failed-read -T - -cf - | tar -xf - -C "$root"
alone=(); if unshare -rn true 2>/dev/null; then alone=(unshare -rn); else echo "The network stays reachable: unshare does not work here."; fi
small=(--render 1 --scenes 300 --batch 8 --compile eager --say 2 --device cpu --large 40 --guide 2 --stage large --stage latents --stage joint --warm)

# run OUT SECONDS OPTIONS...: the number of its process group is in OUT.pid
run() {
  local out=$1
  (cd "$root" && PYTHON=$python exec setsid "${alone[@]}" sh -c 'echo $$ >"$0.pid"; exec sh assets/toybox/device.sh "$@"' "$out" "$carry" "$@" "${small[@]}")
}

# back OUT WORK: what came back, as a bundle
back() {
  "$python" assets/toybox/toybox.py --join "$1" --work "$2" && "$python" assets/toybox/export.py --work "$2" --out "$2/checkpoint" >/dev/null
  "$realword" model import "$2/checkpoint" --out "$2/bundle" >/dev/null
}

run "$root/out" "$seconds" --show 2 6 --save "$((seconds / 6))"
times | tail -n 1 | awk '{ print "processor time of the run (user, system):", $1, $2 }'
count=$(find "$root/out" -type f | wc -l) bytes=$(cat "$root"/out/* | wc -c) largest=$(stat -c %s "$root"/out/* | sort -n | tail -n 1)
echo "left behind: $count files, $bytes bytes, the largest has $largest"
[ "$count" -le 8 ] && [ "$bytes" -le $((64 << 20)) ] && [ "$largest" -le $((16 << 20)) ] || { echo "That is more than comes back." >&2; exit 1; }
[ -s "$root/out/sheet.png" ] && [ -s "$root/out/figures.json" ]
back "$root/out" "$root/joined"
"$realword" generate --model "$root/joined/bundle" --prompt 'a cat on the beach' --subject cat=assets/samples/cat.png --seed 1 --out "$root/pictures" >/dev/null
find "$root/pictures" -name '*.png' -size +1k | grep -q . && echo "The joined weights make a picture."

# However busy the machine is: it has an hour for its steps, saves after each of them, and is killed as soon as the first file tells of the joint stage.
run "$root/killed" 3600 --steps 30 --save 0 >"$root/killed.log" 2>&1 &
until grep -aq '\\"joint\\"' "$root/killed/weights-0.safetensors" 2>/dev/null; do
  sleep .2
  kill -0 $! 2>/dev/null || { cat "$root/killed.log" >&2; echo "It ended before it was killed." >&2; exit 1; }
done
kill -KILL -- "-$(cat "$root/killed.pid")"
rm "$root/killed.pid"
! grep -q '^ended with' "$root/killed.log" || { echo "It had ended before it was killed." >&2; exit 1; }
back "$root/killed" "$root/rest"
echo "A run killed after its first save leaves a model as well."
