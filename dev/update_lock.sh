#!/usr/bin/env bash
# Updates requirements/lock.txt from pyproject.toml. Locked versions stay, unless
# pyproject.toml needs another one or the arguments say so:
#   bash dev/update_lock.sh --upgrade-package matplotlib
set -euo pipefail

CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
PATH="$PATH:$PWD/.venv-tools/bin"  # where tools/setup_env.sh puts uv
exec uv pip compile --quiet --universal --generate-hashes --python-version 3.10 \
  --extra stack --extra dev --no-emit-index-url --no-emit-find-links \
  --custom-compile-command 'bash dev/update_lock.sh' \
  --output-file requirements/lock.txt "$@" pyproject.toml
