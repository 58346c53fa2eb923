#!/bin/sh
# Trains the toybox on a machine with a graphics card and no network, in one go: `make device-train` says how it is called.
#   device.sh GIVEN OUT SECONDS [OPTIONS OF toybox.py]      GIVEN: bank.npz, tokenizer/ and wheels that are missing there; LATE: how much later it may end
set -eu
given=$(realpath "$1") out=$2 seconds=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=${PYTHON:-python3}
"$python" -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade --target "$work/site" "$given"/*.whl
mkdir -p "$out"
export PYTHONPATH="$work/site" PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1
{ timeout --signal TERM $((seconds + ${LATE:-15})) "$python" "$(dirname "$0")/toybox.py" --work "$work/run" --given "$given" --out "$out" \
  --wall "$seconds" "$@" 2>&1 && status=0 || status=$?; echo "ended with status $status"; } | tee "$out/log.txt"
tail -n 1 "$out/log.txt" | grep -q 'status 0$'
