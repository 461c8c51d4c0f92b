#!/usr/bin/env bash
# Makes .venv at the root of the repository from requirements/lock.txt, unless it is up
# to date. Uses the first Python 3.10 to 3.14 on PATH, or the one that FPD_PYTHON names
# (FPD_PYTHON=/path/to/python bash tools/setup_env.sh).
set -euo pipefail

CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
root=$(pwd -P)
stamp=.venv/.fpd-setup  # records what the environment was made from; written last

say() { printf '[setup %3ds] %s\n' "$SECONDS" "$*" >&2; }
die() { printf 'setup_env: %s\n' "$*" >&2; exit 1; }

# Removes settings of the caller's shell that would redirect Python, pip, or uv. Settings
# for downloads and caches stay.
unset VIRTUAL_ENV CONDA_PREFIX PYTHONPATH PYTHONHOME
unset PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV
for name in "${!UV_@}"; do
  case $name in
    UV_*INDEX* | UV_FIND_LINKS | UV_*PROXY | UV_HTTP_* | UV_INSECURE_HOST) ;;
    UV_KEYRING* | UV_OFFLINE | UV_*TLS | UV_*CERTS | UV_*CACHE* | UV_LINK_MODE) ;;
    UV_CONCURRENT* | UV_NO_PROGRESS) ;;
    *) unset "$name" ;;
  esac
done
# Seconds without a byte after which a download is tried again, and how often.
export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-60}" UV_HTTP_RETRIES="${UV_HTTP_RETRIES:-3}"

# Identify the environment (a copied one still points at its original), and what it was
# made from.
place() {
  echo "$root: $("${FPD_PYTHON:-.venv/bin/python}" -V 2>/dev/null || echo none)"
}
contents() {
  cat requirements/*.txt pyproject.toml setup.py fpd_mmpose/version.py | cksum
}
up_to_date() {
  [ -x .venv/bin/python ] &&
    [ "$(cat "$stamp" 2>/dev/null)" = "$(place; contents)" ]
}

pick_python() {
  local candidates=(python3.12 python3.13 python3.11 python3.10 python3.14 python3) candidate
  local version path
  local probe='import sys
print("%d.%d" % sys.version_info[:2], getattr(sys, "_base_executable", sys.executable))'
  [ -z "${FPD_PYTHON:-}" ] || candidates=("$FPD_PYTHON")
  for candidate in "${candidates[@]}"; do
    # An executable may not work: pyenv has a shim for each version, and most fail.
    read -r version path < <("$candidate" -c "$probe" 2>/dev/null) || continue
    case $version in 3.10 | 3.11 | 3.12 | 3.13 | 3.14) python=$path; return ;; esac
  done
  die "no working Python 3.10 to 3.14${FPD_PYTHON:+ is $FPD_PYTHON}: put one on PATH, or" \
    "name it with FPD_PYTHON=/path/to/python."
}

find_uv() {
  local oldest version install
  oldest=$(sed -n 's/^required-version = ">=\(.*\)"$/\1/p' pyproject.toml)
  for uv in uv .venv-tools/bin/uv; do
    version=$("$uv" --version 2>/dev/null | cut -d ' ' -f 2) || continue
    if printf '%s\n' "$oldest" "$version" | sort -CV; then return; fi
  done
  say "fetching uv (there is none, or it is older than $oldest)"
  rm -rf .venv-tools
  if "$python" -m venv .venv-tools >/dev/null 2>&1; then
    install=(.venv-tools/bin/python -m pip install)
  elif rm -rf .venv-tools && "$python" -m pip --version >/dev/null 2>&1; then
    # Debian's Python without python3-venv.
    install=("$python" -m pip install --target .venv-tools)
  else
    die "$python has neither venv nor pip to fetch uv with: install uv $oldest or" \
      "newer (Debian: apt install python3-venv, and run this again)."
  fi
  # Up to the newest release that this script was tried with.
  PIP_ROOT_USER_ACTION=ignore "${install[@]}" --quiet --disable-pip-version-check \
    "uv>=$oldest,<0.14" || die "uv could not be installed: pip says why above." \
    "For a proxy set HTTPS_PROXY, for a mirror PIP_INDEX_URL, for a slow server" \
    "PIP_DEFAULT_TIMEOUT (seconds), and run this again."
}

# Passes on uv's output, and reports that it still works while it is silent. Prints the
# line that names the failure.
narrate() {
  local step=$1 every=30 line last=nothing failure='' code
  while true; do
    code=0
    IFS='' read -r -t "$every" line || code=$?
    if [ "$code" -gt 128 ]; then
      say "still $step; uv last said: $last"
      continue
    fi
    [ "$code" = 0 ] || [ -n "$line" ] || break
    case $line in ' + '* | ' - '* | ' ~ '*) continue ;; esac  # each package installed
    printf '%s\n' "$line" >&2
    last=$line
    case $line in *'Failed to '*) failure=${failure:-"Failed to ${line#*Failed to }"} ;; esac
  done
  printf '%s' "$failure"
}

# run_uv STEP ARGUMENTS...: runs uv; STEP describes what it does.
run_uv() {
  local step=$1 failure='' free
  shift
  say "$step"
  if [ -t 2 ]; then  # on a terminal uv shows its progress
    if "$uv" "$@"; then return; fi
  elif failure=$("$uv" "$@" 2>&1 | narrate "$step"); then
    return
  fi
  free=$({ df -Pk . "${UV_CACHE_DIR:-$HOME/.cache}" 2>/dev/null || true; } |
    awk 'NR > 1 { print int($4 / 1048576) }' | sort -n | head -n 1)
  [ "$free" -ge 2 ] || die "stopped while $step, uv says why above; only $free GB are" \
    "free here or in uv's cache, and the packages take about 6. Make room and run this" \
    "again."
  die "stopped while $step${failure:+ ($failure)}, uv says why above. Where a server is" \
    "slow, set UV_HTTP_TIMEOUT to more than $UV_HTTP_TIMEOUT seconds or UV_DEFAULT_INDEX" \
    "to a mirror; for a proxy set HTTPS_PROXY. Then run this again: what was downloaded" \
    "is kept."
}

if up_to_date; then
  say '.venv is up to date'
  exit
fi

# One set-up at a time; another one may have done the work meanwhile.
if command -v flock >/dev/null; then
  exec 9>.venv.lock
  flock -n 9 || { say 'waiting for another set-up of this folder'; flock 9; }
  if up_to_date; then exit; fi
fi

[ ! -e .venv ] || [ -e "$stamp" ] ||
  die ".venv was not made by this script: move or delete it, and run this again."
pick_python
find_uv

# A complete environment is updated; one that was interrupted, copied here, or made with
# another Python is made from scratch.
if [ "$(head -n 1 "$stamp" 2>/dev/null)" != "$(place)" ]; then
  run_uv "making .venv with $("$python" -V)" \
    venv --quiet --clear --python "$python" .venv
fi
echo unfinished >"$stamp"
say 'up to 3 GB are downloaded, where uv has none of it cached'
run_uv 'installing the locked packages' \
  pip sync --python .venv/bin/python --require-hashes requirements/lock.txt
# Its wheel is for another Python, and its compiled code is that of pycocotools. The
# settings in pyproject.toml leave the package out.
run_uv 'installing xtcocotools' pip install --quiet --python .venv/bin/python \
  --no-config --no-deps --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
  --require-hashes --requirements requirements/xtcocotools.txt
.venv/bin/python tools/link_xtcocotools.py
run_uv 'installing fpd-mmpose' pip install --quiet --python .venv/bin/python \
  --no-deps --no-build-isolation --editable .
{ place; contents; } >"$stamp"
say '.venv is ready'
