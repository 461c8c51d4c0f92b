# Sourced by dist_*.sh and slurm_*.sh: picks the Python and starts the processes.

tools_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# An activated environment first, then the one that tools/setup_env.sh made.
if [ -z "${PYTHON:-}" ]; then
    PYTHON=python
    if [ -z "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] && [ -x "$tools_dir/../.venv/bin/python" ]; then
        PYTHON=$tools_dir/../.venv/bin/python
    fi
fi

# launch_distributed PROCESSES SCRIPT [ARGUMENTS...]
launch_distributed() {
    local processes=$1 script=$2
    shift 2
    case $processes in
    '' | *[!0-9]* | 0)
        echo "error: the number of processes must be a positive number, got '$processes'" >&2
        exit 2
        ;;
    esac
    local meeting=(
        --node_rank="${NODE_RANK:-0}"
        --master_addr="${MASTER_ADDR:-127.0.0.1}"
        --master_port="${PORT:-29500}"
    )
    # Only this kind of rendezvous starts the processes of all machines again.
    if [ "${MAX_RESTARTS:-0}" != 0 ]; then
        # In a shared store, processes would find the addresses of ended ones.
        export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1
        meeting=(
            --rdzv_backend=c10d
            --rdzv_endpoint="${MASTER_ADDR:-127.0.0.1}:${PORT:-29500}"
            --rdzv_id="${RDZV_ID:-fpd}"
            --max_restarts="$MAX_RESTARTS"
        )
    fi
    exec "$PYTHON" -m torch.distributed.run \
        --nnodes="${NNODES:-1}" \
        "${meeting[@]}" \
        --nproc_per_node="$processes" \
        "$tools_dir/$script" "$@" --launcher pytorch
}

# launch_slurm PARTITION JOB_NAME SCRIPT [ARGUMENTS...]
launch_slurm() {
    local partition=$1 job_name=$2 script=$3
    shift 3
    # SRUN_ARGS is split into words on purpose: it holds several options.
    # shellcheck disable=SC2086
    exec srun -p "$partition" \
        --job-name="$job_name" \
        --gres=gpu:"${GPUS_PER_NODE:-8}" \
        --ntasks="${GPUS:-8}" \
        --ntasks-per-node="${GPUS_PER_NODE:-8}" \
        --cpus-per-task="${CPUS_PER_TASK:-5}" \
        --kill-on-bad-exit=1 \
        ${SRUN_ARGS:-} \
        "$PYTHON" -u "$tools_dir/$script" "$@" --launcher slurm
}
