"""Processes of several machines come back after an error, and save on SIGTERM."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.helpers import ROOT
from tests.helpers.reduced import reduced_distiller

#: Ends one process at step 5, once, and is slow from step 6 on.
TROUBLE = """
import os, time
from pathlib import Path
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

@HOOKS.register_module()
class Trouble(Hook):
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        crashed = Path(runner.work_dir, 'crashed')
        if runner.iter == 5 and runner.rank == 1 and not crashed.exists():
            crashed.touch()
            os._exit(9)
        if runner.iter >= 6:
            Path(runner.work_dir, f'process_{runner.rank}').touch()
            time.sleep(2)
"""


def launch(config: Path, folder: Path, rank: int) -> subprocess.Popen:
    return subprocess.Popen(
        ['bash', 'tools/dist_train.sh', str(config), '1', '--resume'],
        cwd=ROOT,
        env={
            **os.environ,
            'PYTHONPATH': f'{folder}:{ROOT}',
            'PYTHONWARNINGS': 'ignore',
            'OMP_NUM_THREADS': '1',
            'PYTHON': sys.executable,
            **dict(NNODES='2', NODE_RANK=str(rank), PORT='29631', MAX_RESTARTS='1'),
        },
        stdout=(folder / f'{rank}.log').open('w'),
        stderr=subprocess.STDOUT,
    )


@pytest.mark.process
def test_two_launchers_come_back_and_save_on_sigterm(mpii_root, tmp_path):
    config = reduced_distiller(mpii_root, tmp_path, stacks=1, features=8, epochs=20)
    (tmp_path / 'trouble.py').write_text(TROUBLE, encoding='utf-8')
    config.custom_imports = dict(imports=['fpd_mmpose', 'trouble'])
    config.custom_hooks = [dict(type='Trouble')]
    config.log_level = 'INFO'
    config.work_dir = str(tmp_path / 'run')
    config.dump(tmp_path / 'config.py')
    launchers = [launch(tmp_path / 'config.py', tmp_path, rank) for rank in (0, 1)]
    try:
        come_back = [tmp_path / f'run/process_{rank}' for rank in (0, 1)]
        # A launcher that fails ends the wait; a slow machine does not.
        end = time.monotonic() + 900
        while not all(path.exists() for path in come_back):
            assert time.monotonic() < end
            assert all(launcher.poll() is None for launcher in launchers)
            time.sleep(0.2)
        for launcher in launchers:
            launcher.send_signal(signal.SIGTERM)
        assert all(launcher.wait(300) for launcher in launchers)
    finally:
        for launcher in launchers:
            launcher.kill()
    assert (tmp_path / 'run/crashed').exists()
    saved = torch.load(tmp_path / 'run/interrupted.pth')
    assert saved['meta']['iter'] >= 6
    log = (tmp_path / '0.log').read_text(encoding='utf-8')
    assert 'Resuming from the latest checkpoint' in log
    assert 'SIGTERM after step' in log and 'interrupted.pth' in log
