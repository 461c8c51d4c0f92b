#!/usr/bin/env bash
# Sets the environment up where that is needed and runs the quick start in it. The
# arguments go to `python -m fpd_mmpose.quickstart`.
set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
bash "$root/tools/setup_env.sh"
unset PYTHONPATH PYTHONHOME
exec "$root/.venv/bin/python" -W ignore -m fpd_mmpose.quickstart "$@"
