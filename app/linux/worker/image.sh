#!/usr/bin/env bash
# Gathers what a container of a worker needs, in OUT: the program, ONNX Runtime, the libraries that they load, the certificates of the
# system, a user and their home. `make worker-image` calls it with REALWORD (the program), LIBRARY (ONNX Runtime) and the folder.
set -euo pipefail
out=$1 root=$1/root
rm -rf "$out"
mkdir -p "$root"/{usr/bin,usr/lib/realword,etc/ssl/certs,models,tmp} "$out/home/worker"
chmod 1777 "$root/tmp"
install -m 755 "$REALWORD" "$root/usr/lib/realword/realword"
cp -L "$LIBRARY" "$root/usr/lib/realword/libonnxruntime.so.1"
ln -s ../lib/realword/realword "$root/usr/bin/realword"
for binary in "$REALWORD" "$LIBRARY"; do ldd "$binary"; done | grep -oE '/[^ ]+\.so[^ ]*' | sort -u | while read -r lib; do
  mkdir -p "$root$(dirname "$lib")"
  cp -L "$lib" "$root$lib"
done
[ ! -r /etc/ssl/certs/ca-certificates.crt ] || cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo 'worker:x:10001:10001::/home/worker:/usr/sbin/nologin' >"$root/etc/passwd"
echo 'worker:x:10001:' >"$root/etc/group"
cp "$(dirname "$0")/Containerfile" "$out/"
du -sh "$out" | cut -f1
