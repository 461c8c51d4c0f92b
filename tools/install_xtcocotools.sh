#!/usr/bin/env bash
# Installs xtcocotools, which MMPose needs, without compiling anything:
#   bash tools/install_xtcocotools.sh path/to/python
# Its wheels are for NumPy 1 and Python 3.7 to 3.11 only. Their Python code is the same
# in all of them, and their compiled code is that of pycocotools, which must be there.
set -euo pipefail

python=${1:?usage: install_xtcocotools.sh PYTHON}
uv=$(command -v "${UV:-uv}") || { echo 'install_xtcocotools: no uv' >&2; exit 1; }
case $uv in /*) ;; *) uv=$PWD/$uv ;; esac
root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT

# Not in the repository, whose settings of uv leave this package out.
(cd "$unpacked" && "$uv" pip install --quiet --target "$unpacked" --python-version 3.11 \
  --python-platform x86_64-manylinux_2_28 --no-deps --only-binary :all: \
  --require-hashes --requirements "$root/requirements/xtcocotools.txt")
"$python" -c 'import pathlib, shutil, sys, sysconfig
site = pathlib.Path(sysconfig.get_path("purelib"))
for part in pathlib.Path(sys.argv[1]).glob("xtcocotools*"):
    shutil.rmtree(site / part.name, ignore_errors=True)
    shutil.copytree(part, site / part.name, ignore=shutil.ignore_patterns("_mask.*"))
(site / "xtcocotools/_mask.py").write_text("from pycocotools._mask import *\n")
' "$unpacked"
