#!/bin/sh
# Runs what `make device-pack` packed, on a machine with a graphics card and without a network: first the tests of values that
# stay on the card, then the table. Arguments go to the table, as in: sh check.sh --models toybox,full
set -eu
cd "$(dirname "$0")"
export REALWORD_ONNXRUNTIME="$PWD"
nvidia-smi -L || true
status=0
REALWORD_TEST_DEVICE=cuda ./ort.test -test.v -test.run '^(TestRun|TestZeroLength|TestKept.*|TestCancelledKeep.*|TestNothingLeaks)$' || status=$?
./device "$@" || status=$?
exit $status
