#!/usr/bin/env bash
# All checks: lint (with docstrings, ruff's D rules), formatting, types, docs, and
# tests. The arguments go to pytest: bash tools/run_tests.sh -k compat
set -euo pipefail

CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
bash tools/setup_env.sh
unset PYTHONPATH PYTHONHOME

export MPLBACKEND=Agg  # no display needed
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"  # a process for each core instead
export UV_OFFLINE=1 PIP_NO_INDEX=1  # no test downloads anything
export NO_MKDOCS_2_WARNING=1  # an advertisement

site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT

failed=''
check() {
  printf '== %s\n' "$*"
  .venv/bin/python -m "$@" || failed+=" [$*]"
}
check ruff check .
check ruff format --check .
check mypy
check mkdocs --quiet build --strict --site-dir "$site"
# Each process has its own copy of the stack in memory: four at most.
check pytest -n auto --maxprocesses 4 --dist worksteal "$@"

if [ -n "$failed" ]; then
  printf 'run_tests: FAILED in %ds:%s\n' "$SECONDS" "$failed"
  exit 1
fi
printf 'run_tests: lint, formatting, types, docs, and tests passed in %ds\n' "$SECONDS"
