#!/usr/bin/env bash
# Trains on a Slurm cluster:
#
#   GPUS=8 tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [arguments of tools/train.py]
#
# GPUS, GPUS_PER_NODE, CPUS_PER_TASK and SRUN_ARGS are read from the environment.
set -euo pipefail
[ $# -ge 4 ] || {
    echo "usage: $0 PARTITION JOB_NAME CONFIG WORK_DIR [arguments of train.py]" >&2
    exit 2
}
partition=$1 job_name=$2 config=$3 work_dir=$4
shift 4
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"
launch_slurm "$partition" "$job_name" train.py "$config" --work-dir "$work_dir" "$@"
