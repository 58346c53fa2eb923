#!/bin/sh
# check.sh [--cpu-alone] [--seconds N]: runs what `make device-pack` packed, on a machine with a graphics card, without a network.
# Everything is said on the terminal and in $OUT (default: out), where rows.json has a JSON object for every row of the tables. Every part
# has a time of its own, the most important come first, and all together N seconds (default 60). It ends with 0 only where a card was
# tested (--cpu-alone: or none was asked for) and nothing failed. Needed: python3, or tar with xz.
set -u
here=$(cd "$(dirname "$0")" && pwd)
alone= seconds=60
while [ $# -gt 0 ]; do
  case $1 in
    --cpu-alone) alone=--cpu-alone ;;
    --seconds) seconds=$2; shift ;;
    *) echo "check.sh: $1 is unknown" >&2; exit 2 ;;
  esac
  shift
done
. "$here/parts.sh"

check() {
  failed= background=
  nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader 2>&1 || echo "nvidia-smi does not answer."
  echo "$(nproc) processors, $(getconf GNU_LIBC_VERSION), $(df -Pk "$work" | awk 'NR == 2 { print int($4 / 1048576) }') GiB free in $work"
  unpack "$here/tools.tar.xz" & tools=$!
  unpack "$here/ort.tar.xz" || { echo "ort.tar.xz cannot be unpacked."; return 1; }
  wait $tools || { echo "tools.tar.xz cannot be unpacked."; return 1; }
  echo "unpacked, $(left) s left"
  cd "$work" || return 1
  export REALWORD_ONNXRUNTIME="$work" TMPDIR="$work"
  rows="--json $OUT/rows.json"

  # What Realword finds by itself comes first, then Python's folders are named to it as well.
  if ! part components 25 ./device --parts components $alone; then
    [ -z "$alone" ] || return 1
    again=yes
  else
    again=
  fi
  REALWORD_CUDA=$(python3 -c 'import glob, nvidia; print(":".join(d for p in nvidia.__path__ for d in sorted(glob.glob(p + "/*/lib"))))' 2>/dev/null)
  export REALWORD_CUDA LD_LIBRARY_PATH="$REALWORD_CUDA:${LD_LIBRARY_PATH:-}"
  echo "Python's CUDA folders: ${REALWORD_CUDA:-none}"
  if [ -n "$again" ]; then
    [ -n "$REALWORD_CUDA" ] || { echo "NO CARD WAS TESTED."; return 1; }
    failed=
    part components-of-python 25 ./device --parts components || { echo "NO CARD WAS TESTED."; return 1; }
  fi

  # SDXL's U-Net takes a while to be made up, so it is made on one half of the processors while the other half is measured.
  half= other=nice
  if [ "$(nproc)" -ge 8 ] && command -v taskset >/dev/null; then
    middle=$(($(nproc) / 2))
    half="taskset -c 0-$((middle - 1))" other="taskset -c $middle-$(($(nproc) - 1))"
    echo "The CPU is measured with $middle processors."
  fi
  if [ -z "$alone" ]; then
    $other ./device --models unet --prepare "$work/unet" >"$OUT/unet.log" 2>&1 & background=$!
    nvidia-smi --query-gpu=timestamp,memory.used,utilization.gpu --format=csv,noheader,nounits -lms 500 >"$OUT/memory.csv" 2>&1 & background="$background $!"
  fi
  part toybox-table 25 $half ./device --brief $alone $rows --models toybox --parts table
  part toybox-picture 20 $half ./device --brief $alone $rows --models toybox --parts picture --steps 8
  export REALWORD_TEST_DEVICE=cuda
  [ -z "$alone" ] || REALWORD_TEST_DEVICE=cpu
  part kept-values 15 ./ort.test -test.v -test.run '^(TestRun|TestZeroLength|TestKept.*|TestCancelledKeep.*|TestNothingLeaks)$'
  part tiny 20 $half ./device --brief $alone $rows --models tiny --size 320 --parts table,picture --steps 4 --repeats 2
  if [ -z "$alone" ]; then
    from=$(date +%s)
    while ! grep -qE '^device:| is ready in ' "$OUT/unet.log" && [ "$(left)" -gt 10 ]; do sleep 0.2; done
    echo "waited $(($(date +%s) - from)) s for SDXL's U-Net: $(tail -n 1 "$OUT/unet.log")"
    if [ -f "$work/unet/bundle/manifest.json" ]; then
      for size in 1024 512; do
        part "sdxl-$size" 40 ./device --brief $rows --models "$work/unet/bundle" --parts passes --size $size --repeats 2
      done
      echo "memory of the card at most: $(awk -F', ' '$2 > most { most = $2 } END { print most }' "$OUT/memory.csv") MiB"
    else
      echo "SDXL's U-Net was not ready."
      failed="$failed sdxl"
    fi
  fi
  [ -z "$failed" ] || { echo "FAILED:$failed"; return 1; }
  if [ -z "$alone" ]; then echo "ALL GOOD ON THE CARD"; else echo "ALL GOOD ON THE CPU, NO CARD WAS ASKED FOR"; fi
}

echo 1 >"$work/status"
{ check; echo $? >"$work/status"; [ -z "$background" ] || kill $background 2>/dev/null; } | tee "$OUT/log.txt"
exit "$(cat "$work/status")"
