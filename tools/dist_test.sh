#!/usr/bin/env bash
# Tests on several GPUs, or on the CPU with gloo where there is none:
#
#   tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [arguments of tools/test.py]
#
# Several machines: set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
set -euo pipefail
[ $# -ge 3 ] || {
    echo "usage: $0 CONFIG CHECKPOINT PROCESSES [arguments of test.py]" >&2
    exit 2
}
config=$1 checkpoint=$2 processes=$3
shift 3
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"
launch_distributed "$processes" test.py "$config" "$checkpoint" "$@"
