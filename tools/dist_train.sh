#!/usr/bin/env bash
# Trains on several GPUs, or on the CPU with gloo where there is none:
#
#   tools/dist_train.sh CONFIG PROCESSES [arguments of tools/train.py]
#
# Several machines: set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
# MAX_RESTARTS=3 starts all processes again, up to three times, when one ends with an
# error; with --resume they go on from the last checkpoint.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: $0 CONFIG PROCESSES [arguments of train.py]" >&2; exit 2; }
config=$1 processes=$2
shift 2
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"
launch_distributed "$processes" train.py "$config" "$@"
