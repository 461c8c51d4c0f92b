#!/usr/bin/env bash
# Runs all checks: lint (with ruff's docstring rules), formatting, and the tests. The
# arguments go to pytest: bash tools/run_tests.sh -k compat
set -euo pipefail

CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
bash tools/setup_env.sh
unset PYTHONPATH PYTHONHOME

export MPLBACKEND=Agg  # no display needed
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"  # a process for each core instead
export UV_OFFLINE=1 PIP_NO_INDEX=1  # no test downloads anything

failed=''
check() {
  printf '== %s\n' "$*"
  .venv/bin/python -m "$@" || failed+=" [$*]"
}
check ruff check .
check ruff format --check .
# At most four processes: each has its own copy of the stack in memory.
check pytest -n auto --maxprocesses 4 --dist worksteal "$@"

if [ -n "$failed" ]; then
  printf 'run_tests: FAILED in %ds:%s\n' "$SECONDS" "$failed"
  exit 1
fi
printf 'run_tests: lint, formatting and tests passed in %ds\n' "$SECONDS"
