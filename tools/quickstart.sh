#!/usr/bin/env bash
# Sets up the environment if necessary and runs the quick start in it. The arguments are
# those of `fpd quickstart`.
set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
bash "$root/tools/setup_env.sh"
unset PYTHONPATH PYTHONHOME
# Makes threads that wait for each other sleep. If they spin, OpenMP's default, a step
# takes about ten times as long while other programs use the cores. OpenMP reads this
# when torch is imported.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"
exec "$root/.venv/bin/python" -W ignore -m fpd_mmpose.quickstart "$@"
