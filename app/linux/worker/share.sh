#!/usr/bin/env bash
# How well two workers share: PICTURES of the built-in model (default 40) by one worker with four threads, then by two with two each. Says wall
# time and processor seconds of the workers; on a machine with other work the processor seconds are the figure. `make farm-share` calls it
# with REALWORD (the program) and SUBJECT (a picture).
set -euo pipefail
export LC_ALL=C
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
cache=${XDG_CACHE_HOME:-$HOME/.cache}
export XDG_CONFIG_HOME=$work/config XDG_CACHE_HOME=$cache
pictures=${PICTURES:-40}
ticks=$(getconf CLK_TCK)
cpu() { awk -v t="$ticks" '{ s += $14 + $15 } END { printf "%.2f", s / t }' "${@/#//proc/}"; }
measure() { # WORKERS THREADS
  rm -rf "$work/config"
  "$REALWORD" farm --listen 127.0.0.1:7476 >"$work/farm" 2>&1 &
  local farm=$! pids=() before after began ended
  sleep 2
  for n in $(seq "$1"); do
    line=$("$REALWORD" farm pair "worker$n" 2>/dev/null)
    sleep 1
    "$REALWORD" worker "$line" --device cpu --threads "$2" 2>>"$work/worker" &
    pids+=($!)
  done
  sleep 3
  # The graphs are opened once, before it counts.
  "$REALWORD" generate --farm --prompt "a dog on the beach" --subject dog="$SUBJECT" --count "$((2 * $1))" --seed 1000 --out "$work/warm" >/dev/null
  before=$(cpu "${pids[@]/%//stat}") began=$(date +%s.%N)
  "$REALWORD" generate --farm --prompt "a dog on the beach" --subject dog="$SUBJECT" --count "$pictures" --seed 1 --out "$work/out$1" >/dev/null
  ended=$(date +%s.%N) after=$(cpu "${pids[@]/%//stat}")
  kill "${pids[@]}" "$farm"
  wait "${pids[@]}" "$farm" 2>/dev/null || true
  awk -v w="$1" -v t="$2" -v p="$pictures" -v a="$before" -v b="$after" -v s="$began" -v e="$ended" \
    'BEGIN { printf "%d worker(s) with %d threads: %d pictures in %.1f s, %.1f processor seconds\n", w, t, p, e - s, b - a }'
  spent=$(awk -v a="$before" -v b="$after" 'BEGIN { print b - a }') wall=$(awk -v s="$began" -v e="$ended" 'BEGIN { print e - s }')
}
measure 1 4
one=$spent wall1=$wall
measure 2 2
awk -v a="$one" -v b="$spent" -v c="$wall1" -v d="$wall" 'BEGIN { printf "two share: %.2f of the ideal in processor seconds, %.2f in wall time\n", a / b, c / d }'
