# What check.sh and check-webgpu.sh share, read by both: a folder $work that goes at the end, $OUT, and parts that have $seconds together.
# $failed gets the names of those that failed.
OUT=${OUT:-out}
mkdir -p "$OUT" && OUT=$(cd "$OUT" && pwd) || exit 1
work=$(mktemp -d) || exit 1
began=$(date +%s)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
left() { echo $((seconds - ($(date +%s) - began))); }

unpack() { tar -xJf "$1" -C "$work" 2>/dev/null || python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$1" "$work"; }

# part NAME SECONDS COMMAND...: its own time, or what is left of all.
part() {
  name=$1 limit=$2
  shift 2
  [ "$(left)" -ge "$limit" ] || limit=$(left)
  if [ "$limit" -lt 2 ]; then
    echo "== $name: no time is left"
    failed="$failed $name(no-time)"
    return 1
  fi
  from=$(date +%s)
  timeout -k 2 "$limit" "$@" 2>&1
  status=$?
  [ $status -ne 124 ] || echo "$name: stopped after $limit s"
  echo "== $name: status $status after $(($(date +%s) - from)) s, $(left) s left"
  [ $status -eq 0 ] || failed="$failed $name"
  return $status
}
