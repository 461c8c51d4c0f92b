#!/usr/bin/env bash
# Runs everything that needs a GPU, part by part, on a machine without a network:
#
#   bash dev/gpu/run.sh --carried FOLDER --out FOLDER [--parts 1,2,3] [--cpu] ...
#
# dev/gpu/wheels.sh and pack.py make FOLDER/wheels and FOLDER/people.zip. Without
# wheels, the stack must be installed; without people, they are drawn. For the other
# options, see dev/gpu/run.py --help.
set -euo pipefail

carried=''
for ((index = 1; index < $#; index++)); do
  if [ "${!index}" = --carried ]; then
    next=$((index + 1))
    carried=$(realpath -- "${!next}")
  fi
done
CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
python=${FPD_PYTHON:-python3}
if [ -n "$carried" ] && [ -d "$carried/wheels" ]; then
  site=${TMPDIR:-/tmp}/fpd-gpu-site
  "$python" -m pip install --quiet --no-index --no-deps --no-compile --no-cache-dir \
    --disable-pip-version-check --root-user-action ignore --upgrade \
    --target "$site" "$carried"/wheels/*.whl
  export PYTHONPATH=$PWD:$site
else
  export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH}
fi
# Every tensor from a dataloader worker is an open file.
ulimit -n "$(ulimit -Hn)" || true
export MPLBACKEND=Agg OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
export TORCHINDUCTOR_CACHE_DIR="${TMPDIR:-/tmp}/fpd-gpu-inductor"
exec "$python" -W ignore dev/gpu/run.py "$@"
