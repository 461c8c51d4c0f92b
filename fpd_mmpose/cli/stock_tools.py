"""Runs MMPose's own train and test scripts with this package in place."""

import gc
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

import mmpose
import torch.distributed as dist
from mmengine.device import get_device

from fpd_mmpose.cli.multi_scale_option import translate_multi_scale
from fpd_mmpose.errors import UserError

#: Distributed runs without a GPU: mmengine's default wrapper asks for a GPU's number.
CPU_WRAPPER = (
    '--cfg-options',
    'model_wrapper_cfg.device_ids=None',
    'model_wrapper_cfg.broadcast_buffers=False',
)


def run_stock_tool(name: str, arguments: Sequence[str]) -> None:
    """Runs MMPose's ``train.py`` or ``test.py`` with its arguments.

    The config may be a packaged one, ``test`` also takes ``--multi-scale``, and without
    a GPU ``--launcher pytorch`` uses gloo.
    """
    script = Path(mmpose.__file__).parent / '.mim' / 'tools' / f'{name}.py'
    arguments = list(arguments)
    if name == 'test':
        arguments = translate_multi_scale(arguments)
    if get_device() == 'cpu':
        if '--amp' in arguments:
            raise UserError('--amp needs a GPU, and there is none')
        if _wants_processes(arguments):
            dist.init_process_group('gloo')
            arguments += CPU_WRAPPER
    sys.argv = [f'{name}.py', *arguments]
    runpy.run_path(str(script), run_name='__main__')
    if dist.is_initialized():
        # The model's wrapper, which only the collector frees, keeps gloo's threads
        # alive; one that meets the ending interpreter aborts the process.
        gc.collect()
        dist.destroy_process_group()


def _wants_processes(arguments: Sequence[str]) -> bool:
    return '--launcher=pytorch' in arguments or any(
        pair == ('--launcher', 'pytorch')
        for pair in zip(arguments, arguments[1:], strict=False)
    )
