#!/bin/sh
# check-webgpu.sh [--seconds N] [BUNDLE...]: runs what `make device-pack-webgpu` packed, on a machine with a graphics card and
# Vulkan, without a network: every stage on the card beside the CPU, of the tiny SDXL and of the bundle folders named, and a whole picture of these. Everything is said on
# the terminal and in $OUT (default: out), where rows.json has a JSON object for every row. All together takes N seconds at most
# (default 90). It ends with 0 only where a card was tested and nothing failed. Needed: python3, or tar with xz.
set -u
here=$(cd "$(dirname "$0")" && pwd)
seconds=90
if [ "${1:-}" = --seconds ]; then
  seconds=$2
  shift 2
fi
bundles=
for b in "$@"; do bundles="$bundles $(cd "$b" && pwd)"; done
. "$here/parts.sh"

# The first way to a card that works: what the system has configured, then NVIDIA's driver by hand, which in a container often lies
# where Vulkan does not look, with the library that needs no X11 last.
card() {
  for way in system /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json /usr/local/nvidia/vulkan/icd.d/nvidia_icd.json /usr/share/vulkan/icd.d/nvidia_icd.json /etc/vulkan/icd.d/nvidia_icd.json GLX EGL; do
    case $way in
      system) : ;;
      GLX | EGL)
        library=$(ls /usr/local/nvidia/lib64/lib${way}_nvidia.so.0 /usr/lib/x86_64-linux-gnu/lib${way}_nvidia.so.0 /usr/lib64/lib${way}_nvidia.so.0 2>/dev/null | head -n 1)
        [ -n "$library" ] || continue
        printf '{"file_format_version": "1.0.0", "ICD": {"library_path": "%s", "api_version": "1.3.0"}}\n' "$library" >"$work/$way.json"
        export VK_DRIVER_FILES="$work/$way.json" VK_ICD_FILENAMES="$work/$way.json" ;;
      *)
        [ -f "$way" ] || continue
        export VK_DRIVER_FILES="$way" VK_ICD_FILENAMES="$way" ;;
    esac
    for with in "" "$work/x11"; do # where the driver wants X11's libraries and there are none
      export LD_LIBRARY_PATH="$work:/usr/local/nvidia/lib64:${with:+$with:}${inherited:-}"
      echo "Vulkan by way of $way${with:+, with X11's libraries}:"
      if timeout -k 2 20 ./device --device webgpu --brief --parts components >"$work/try" 2>&1; then
        cat "$work/try"
        [ -n "$software" ] || ! grep -q 'made of software' "$work/try" || continue
        return 0
      fi
      cat "$work/try"
    done
  done
  return 1
}

check() {
  failed=
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>&1 || echo "nvidia-smi does not answer."
  echo "$(nproc) processors, $(getconf GNU_LIBC_VERSION)"
  ls /dev/nvidia* /dev/dri /usr/local/nvidia/share/vulkan/icd.d /usr/share/vulkan/icd.d /etc/vulkan/icd.d /usr/local/nvidia/lib64 2>&1 | head -n 80 >"$OUT/system.txt"
  unpack "$here/webgpu.tar.xz" || return 1
  cd "$work" || return 1
  inherited=${LD_LIBRARY_PATH:-}
  software=${WEBGPU_SOFTWARE:-} # for a rehearsal
  export REALWORD_ONNXRUNTIME="$work" TMPDIR="$work" XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$work}" HOME="${HOME:-$work}"
  table=table
  [ -z "$software" ] || table=stages # which takes long enough
  rows="--json $OUT/rows.json --repeats ${REPEATS:-3}"
  card || { echo "NO CARD WAS TESTED."; return 1; }
  part nodes 20 ./device --device webgpu --brief --json "$OUT/rows.json" --models "$(echo tiny $bundles | tr ' ' ,)" --parts nodes
  for b in $bundles; do
    part "$(basename "$b")" 40 ./device --device webgpu --brief $rows --models "$b" --parts "$table"
    part "$(basename "$b")-picture" 30 ./device --device webgpu --brief $rows --models "$b" --parts picture --steps "${STEPS:-8}"
  done
  part tiny 40 ./device --device webgpu --brief $rows --models tiny --size "${SIZE:-256}" --parts stages
  [ -z "$failed" ] || { echo "FAILED:$failed"; return 1; }
  echo "ALL GOOD ON THE CARD"
}

echo 1 >"$work/status"
{ check; echo $? >"$work/status"; } | tee "$OUT/webgpu.txt"
exit "$(cat "$work/status")"
