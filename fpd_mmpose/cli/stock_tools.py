"""Runs MMPose's own train and test scripts with this package in place."""

import gc
import importlib
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

import mmpose
import torch.distributed as dist
from mmengine.device import get_device

from fpd_mmpose.errors import UserError

#: Distributed runs without a GPU: mmengine's default wrapper asks for a GPU's number.
CPU_WRAPPER = (
    '--cfg-options',
    'model_wrapper_cfg.device_ids=None',
    'model_wrapper_cfg.broadcast_buffers=False',
)


def stock_script(name: str) -> Path:
    """Returns the path of MMPose's ``train.py`` or ``test.py``."""
    return Path(mmpose.__file__).parent / '.mim' / 'tools' / f'{name}.py'


def run_stock_tool(name: str, arguments: Sequence[str]) -> None:
    """Runs MMPose's ``train.py`` or ``test.py`` with its arguments.

    Without a GPU, ``--launcher pytorch`` uses gloo.
    """
    # Now rather than by a hook: an error that a module catches and keeps while it is
    # imported would keep the run alive, and with it gloo's threads.
    importlib.import_module('fpd_mmpose.checks.preflight')
    arguments = list(arguments)
    if get_device() == 'cpu':
        if '--amp' in arguments:
            raise UserError('--amp needs a GPU, and there is none')
        if '--launcher=pytorch' in arguments:
            dist.init_process_group('gloo')
            arguments += CPU_WRAPPER
    sys.argv = [f'{name}.py', *arguments]
    runpy.run_path(str(stock_script(name)), run_name='__main__')
    if dist.is_initialized():
        # The model's wrapper, which only the collector frees, keeps gloo's threads
        # alive; one that meets the ending interpreter aborts the process.
        gc.collect()
        dist.destroy_process_group()
