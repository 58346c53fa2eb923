#!/bin/sh
# train.sh SCRIPT ARGUMENTS...: runs a training script as two processes of one thread each, in this folder.
set -eu
export WORLD_SIZE=2 TEAM="file://$(mktemp -u)" OMP_NUM_THREADS=1
RANK=1 setsid "${PYTHON:-python}" "$@" &
RANK=0 exec "${PYTHON:-python}" "$@"
