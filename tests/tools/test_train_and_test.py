"""Training and testing by command."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from fpd_mmpose.cli import main
from tests.helpers import ROOT
from tests.helpers.reduced import reduced_distiller


def call(*command: str, **env: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={
            **os.environ,
            'PYTHONWARNINGS': 'ignore',
            'OMP_NUM_THREADS': '1',
            'PYTHON': sys.executable,
            **env,
        },
        capture_output=True,
        text=True,
        timeout=900,
    )


@pytest.fixture()
def config_file(mpii_root, tmp_path) -> Path:
    config = reduced_distiller(mpii_root, tmp_path, stacks=1, features=8)
    config.log_level = 'INFO'
    path = tmp_path / 'reduced.py'
    config.dump(path)
    return path


@pytest.mark.slow
class TestCommands:
    def test_train_then_test_with_pictures(
        self, config_file, tmp_path, monkeypatch, capsys
    ):
        monkeypatch.setattr(sys, 'argv', ['train.py'])  # which they set
        work_dir = tmp_path / 'work'
        main([
            'train', str(config_file), '--work-dir', str(work_dir),
            '--cfg-options', 'train_cfg.max_epochs=1',
        ])  # fmt: skip
        printed = capsys.readouterr()
        assert 'PCKh/Mean' in printed.out + printed.err
        checkpoint = work_dir / 'epoch_1.pth'

        main([
            'test', str(config_file), str(checkpoint),
            '--work-dir', str(tmp_path / 'test'), '--show-dir', 'pictures',
            '--out', str(tmp_path / 'metrics.json'),
            '--cfg-options', 'experiment_name=tested', 'visualizer.name=tested',
        ])  # fmt: skip
        assert 'PCKh/Mean@0.1' in (tmp_path / 'metrics.json').read_text()
        assert list((tmp_path / 'test').rglob('pictures/*.jpg')) or list(
            (tmp_path / 'test').rglob('*.jpg')
        )

    @pytest.mark.process
    def test_two_processes_on_the_cpu_agree(self, config_file, tmp_path):
        done = call(
            'bash', 'tools/dist_train.sh', str(config_file), '2',
            '--work-dir', str(tmp_path / 'ddp'), PORT='29611',
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        log = done.stdout + done.stderr
        assert 'Distributed training: True' in log and 'GPU number: 2' in log
        saved = torch.load(tmp_path / 'ddp' / 'epoch_1.pth')['state_dict']
        assert not any('teacher' in name or 'module' in name for name in saved)

        done = call(
            'bash', 'tools/dist_test.sh', str(config_file),
            str(tmp_path / 'ddp' / 'epoch_1.pth'), '2',
            '--work-dir', str(tmp_path / 'ddp_test'), PORT='29612',
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        assert 'PCKh/Mean' in done.stdout + done.stderr

    @pytest.mark.process
    @pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
    def test_no_thread_of_gloo_outlives_a_run(self, config_file, tmp_path):
        """A thread that meets the end of the interpreter aborts the process."""
        code = (
            'import glob, sys; from fpd_mmpose.cli import main'
            "\nmain(['train', *sys.argv[1:]])"
            "\nfor name in glob.glob('/proc/self/task/*/comm'):"
            "\n    assert 'gloo' not in open(name).read()"
        )
        done = call(
            sys.executable, '-c', code, str(config_file),
            '--work-dir', str(tmp_path / 'work'), '--launcher', 'pytorch',
            RANK='0', LOCAL_RANK='0', WORLD_SIZE='1',
            MASTER_ADDR='127.0.0.1', MASTER_PORT='29613',
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]

    @pytest.mark.process
    def test_a_missing_teacher_is_one_line_and_no_traceback(
        self, config_file, tmp_path
    ):
        done = call(
            sys.executable, 'tools/train.py', str(config_file),
            '--work-dir', str(tmp_path / 'work'),
            '--cfg-options', 'model.teacher.checkpoint=nowhere.pth',
        )  # fmt: skip
        assert done.returncode == 1
        error = [line for line in done.stderr.splitlines() if 'error:' in line]
        assert error and 'model.teacher.checkpoint: "nowhere.pth"' in error[-1]
        assert 'Traceback' not in done.stderr


class TestScripts:
    @pytest.fixture()
    def stub(self, tmp_path) -> tuple[Path, dict]:
        """Stands in for Python and srun, and logs its arguments."""
        log = tmp_path / 'called'
        for name in ('srun', 'fake-python'):
            path = tmp_path / name
            path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{log}"\n')
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        env = dict(
            PATH=f'{tmp_path}:{os.environ["PATH"]}',
            PYTHON=str(tmp_path / 'fake-python'),
        )
        return log, env

    def test_dist_train_on_several_machines(self, stub):
        log, env = stub
        nodes = dict(NNODES='3', NODE_RANK='2', MASTER_ADDR='10.0.0.1', PORT='1234')
        call('tools/dist_train.sh', 'some config.py', '4', '--amp', **env, **nodes)
        arguments = log.read_text().splitlines()
        assert arguments[:2] == ['-m', 'torch.distributed.run']
        for option in (
            '--nnodes=3', '--node_rank=2', '--master_addr=10.0.0.1',
            '--master_port=1234', '--nproc_per_node=4',
        ):  # fmt: skip
            assert option in arguments
        assert arguments[-4:] == ['some config.py', '--amp', '--launcher', 'pytorch']

    def test_slurm(self, stub):
        log, env = stub
        sizes = dict(GPUS='16', GPUS_PER_NODE='4', SRUN_ARGS='--qos=x --time=1')
        call(
            'tools/slurm_train.sh', 'part', 'job', 'c.py', 'wd', '--amp', **env, **sizes
        )
        arguments = log.read_text().splitlines()
        assert arguments[:3] == ['-p', 'part', '--job-name=job']
        for option in ('--ntasks=16', '--gres=gpu:4', '--qos=x', '--time=1'):
            assert option in arguments
        assert arguments[-6:] == [
            'c.py', '--work-dir', 'wd', '--amp', '--launcher', 'slurm',
        ]  # fmt: skip
        call('tools/slurm_test.sh', 'part', 'job', 'c.py', 'x.pth', **env, **sizes)
        assert log.read_text().splitlines()[-4:] == [
            'c.py', 'x.pth', '--launcher', 'slurm',
        ]  # fmt: skip

    def test_dist_train_with_restarts(self, stub):
        log, env = stub
        nodes = dict(NNODES='2', MASTER_ADDR='10.0.0.1', PORT='1234', MAX_RESTARTS='3')
        call('tools/dist_train.sh', 'c.py', '4', **env, **nodes)
        arguments = log.read_text().splitlines()
        for option in (
            '--nnodes=2', '--rdzv_backend=c10d', '--rdzv_endpoint=10.0.0.1:1234',
            '--max_restarts=3',
        ):  # fmt: skip
            assert option in arguments
        assert not any('master' in argument for argument in arguments)

    def test_a_job_that_slurm_stops_saves_and_is_queued_again(self, tmp_path):
        for name, code in (
            ('scontrol', f'echo "$@" > "{tmp_path}/queued"'),
            (
                'fake-python',
                f'trap "exit 143" TERM; echo "$@" > "{tmp_path}/called"\n'
                'while :; do sleep 0.1; done',
            ),
        ):
            (tmp_path / name).write_text(f'#!/bin/sh\n{code}\n')
            (tmp_path / name).chmod(0o755)
        env = dict(
            PATH=f'{tmp_path}:{os.environ["PATH"]}',
            PYTHON=str(tmp_path / 'fake-python'),
            SLURM_SUBMIT_DIR=str(ROOT),
            SLURM_JOB_ID='7',
        )
        job = subprocess.Popen(
            ['bash', 'tools/slurm_requeue.sh', 'c.py', '--amp'],
            cwd=ROOT,
            env={**os.environ, **env},
        )
        while not (tmp_path / 'called').exists():
            time.sleep(0.05)
        job.send_signal(signal.SIGTERM)
        assert job.wait(30) == 143
        assert (tmp_path / 'queued').read_text() == 'requeue 7\n'
        called = (tmp_path / 'called').read_text()
        assert called.endswith('tools/train.py c.py --amp --resume\n')

    @pytest.mark.parametrize(
        'command',
        [
            ['tools/dist_train.sh', 'c.py'],
            ['tools/dist_test.sh', 'c.py', 'x.pth'],
            ['tools/slurm_train.sh', 'part', 'job', 'c.py'],
            ['tools/slurm_test.sh', 'part'],
            ['tools/slurm_requeue.sh'],
        ],
    )
    def test_missing_arguments_print_the_usage(self, command):
        done = call('bash', *command)
        assert done.returncode == 2 and done.stderr.startswith('usage: ')

    def test_an_invalid_number_of_processes(self):
        done = call('bash', 'tools/dist_train.sh', 'c.py', 'four')
        assert done.returncode == 2
        assert "must be a positive number, got 'four'" in done.stderr
