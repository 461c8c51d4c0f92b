#!/usr/bin/env bash
# Collects the wheels that an offline GPU machine needs besides PyTorch:
#
#   bash dev/gpu/wheels.sh FOLDER
#
# The machine has Python 3.12 on Linux (x86-64) with torch, torchvision, numpy 2,
# opencv-python-headless, onnx, onnxruntime, scipy, matplotlib, tqdm, pytest and
# pytest-xdist. Versions are those of requirements/. xtcocotools is built here
# with a Python 3.12: FPD_PYTHON, or the first on PATH.
set -euo pipefail

folder=$(realpath -m -- "${1:?usage: dev/gpu/wheels.sh FOLDER}")
CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
names='addict json-tricks markdown-it-py mdurl mmcv-lite mmdet mmengine mmpose munkres
  platformdirs pycocotools pygments pyyaml rich setuptools shapely six termcolor
  terminaltables yapf'

# A package may have several versions for different Pythons: the newest is for 3.12.
locked() {
  sed -n "s/^$1==\([^ ;]*\).*/\1/p" requirements/*.txt | sort -V | tail -n 1
}

wanted=()
for name in $names; do
  version=$(locked "$name")
  wanted+=("$name${version:+==$version}")
done
platforms=(--platform any --platform manylinux1_x86_64 --platform manylinux2014_x86_64)
for glibc in 17 24 27 28; do platforms+=(--platform "manylinux_2_${glibc}_x86_64"); done

build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
"${FPD_PYTHON:-python3.12}" -m venv "$build/venv"
pip=("$build/venv/bin/python" -m pip --disable-pip-version-check --quiet)
mkdir -p "$folder"
"${pip[@]}" download --no-deps --only-binary=:all: --implementation cp \
  --python-version 3.12 "${platforms[@]}" --dest "$folder" "${wanted[@]}"
"${pip[@]}" install 'numpy>=2' cython 'setuptools<81' wheel
"${pip[@]}" wheel --no-deps --no-build-isolation --no-binary xtcocotools \
  --wheel-dir "$folder" "xtcocotools==$(locked xtcocotools)"
printf 'wheels: %s files, %s KiB in %s\n' "$(find "$folder" -name '*.whl' | wc -l)" \
  "$(du -sk "$folder" | cut -f 1)" "$folder"
