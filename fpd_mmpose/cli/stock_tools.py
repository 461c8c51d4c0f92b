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
from fpd_mmpose.errors import one_line_errors

#: Lets MMPose's scripts run distributed on a machine without a GPU: mmengine's
#: default wrapper asks for the GPU's number.
CPU_WRAPPER = (
    '--cfg-options',
    'model_wrapper_cfg.device_ids=None',
    'model_wrapper_cfg.broadcast_buffers=False',
)


def run_stock_tool(name: str, arguments: Sequence[str]) -> None:
    """Runs a script of MMPose, with its arguments and nothing else changed.

    ``test`` has one argument more, see :func:`translate_multi_scale`. Without a GPU,
    ``--launcher pytorch`` uses gloo.

    Args:
        name (str): ``'train'`` or ``'test'``.
        arguments (Sequence[str]): The command line without the program's name.

    Raises:
        SystemExit: With one line, where the user's input is at fault, see
            :func:`one_line_errors`, or ``--amp`` finds no GPU.
    """
    script = Path(mmpose.__file__).parent / '.mim' / 'tools' / f'{name}.py'
    arguments = list(arguments)
    if name == 'test':
        with one_line_errors():
            arguments = translate_multi_scale(arguments)
    if get_device() == 'cpu':
        if '--amp' in arguments:
            raise SystemExit('error: --amp needs a GPU, and there is none here')
        if _wants_processes(arguments):
            dist.init_process_group('gloo')
            arguments += CPU_WRAPPER
    sys.argv = [f'{name}.py', *arguments]
    with one_line_errors():
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
