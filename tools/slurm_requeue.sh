#!/usr/bin/env bash
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@120
# Trains on a cluster that stops jobs, and queues the job again until the run is complete:
#
#   sbatch --gres=gpu:1 tools/slurm_requeue.sh CONFIG [arguments of tools/train.py]
#
# Two minutes before the time is up, or when the job is preempted, Slurm sends SIGTERM to
# this script alone. The run then finishes its step, saves, and exits with status 143.
set -uo pipefail
[ $# -ge 1 ] || { echo "usage: sbatch $0 CONFIG [arguments of train.py]" >&2; exit 2; }
# Slurm runs a copy of this script; the job starts in the folder of `sbatch`.
# shellcheck source=tools/launch.sh
source "${SLURM_SUBMIT_DIR:-.}/tools/launch.sh"

"$PYTHON" "$tools_dir/train.py" "$@" --resume &
run=$!
trap 'kill -TERM "$run"' TERM
wait "$run"
status=$?
# A trapped signal ends `wait`, and not the run.
while kill -0 "$run" 2>/dev/null; do
    wait "$run"
    status=$?
done
if [ "$status" -eq 143 ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
