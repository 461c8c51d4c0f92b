#!/usr/bin/env bash
# Sets the environment up where that is needed and runs the quick start in it. The
# arguments go to `python -m fpd_mmpose.quickstart`.
set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
bash "$root/tools/setup_env.sh"
unset PYTHONPATH PYTHONHOME
# Threads that wait for each other sleep. If they spin, as OpenMP's do by default, a
# step takes about ten times as long while other programs use the cores. OpenMP reads
# this when torch is imported.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"
exec "$root/.venv/bin/python" -W ignore -m fpd_mmpose.quickstart "$@"
