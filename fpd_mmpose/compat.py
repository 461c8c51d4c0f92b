"""Makes OpenMMLab's last releases work on today's torch and NumPy.

Nothing else happens here: where compiled MMCV is installed and torch does not
restrict checkpoints, :func:`apply` changes nothing.
"""

import importlib.util
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pickle import UnpicklingError
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ['apply', 'nms', 'safe_globals']


def apply() -> None:
    """Installs the stand-in for MMCV's operators and the checkpoint allow-list.

    Idempotent, and called by ``import fpd_mmpose``.

    Raises:
        ImportError: If a package of the OpenMMLab stack is missing.
    """
    missing = [
        name
        for name in ('mmengine', 'mmcv', 'mmpose')
        if importlib.util.find_spec(name) is None
    ]
    if missing:
        raise ImportError(
            f'fpd_mmpose needs {", ".join(missing)}, not installed here: run '
            '`bash tools/setup_env.sh`, or install fpd-mmpose into an OpenMMLab '
            'environment'
        )
    _provide_mmcv_ops()
    _allow_mmengine_checkpoints()


# --- MMCV without compiled operators -----------------------------------------------


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Non-maximum suppression with the signature of MMCV's compiled kernel.

    Args:
        boxes (Tensor): Boxes (x1, y1, x2, y2) in pixels, shape (N, 4).
        scores (Tensor): Scores, shape (N,).
        iou_threshold (float): A box whose IoU with a kept one is above this is
            dropped.
        offset (int): 0 or 1; a box is ``x2 - x1 + offset`` wide.

    Returns:
        Tensor: int64 indices of the kept boxes, best score first, shape (M,).
    """
    from torchvision.ops import nms as torchvision_nms

    # Widening every box by `offset` gives the areas and intersections that MMCV
    # computes with it. torchvision has no half-precision kernel on the CPU.
    boxes = boxes.float() + boxes.new_tensor([0, 0, offset, offset]).float()
    # MMCV's kernel compares in float32: an IoU of exactly 0.3 is not above 0.3.
    return torchvision_nms(boxes, scores.float(), float(np.float32(iou_threshold)))


class _MissingOps(ModuleType):
    """Stands in for ``mmcv._ext``: has ``nms`` and names every other operator."""

    nms = staticmethod(nms)

    def __getattr__(self, name: str) -> Callable:
        if name.startswith('__'):
            raise AttributeError(name)

        def missing(*args: Any, **kwargs: Any) -> None:
            raise RuntimeError(
                f'the operator "{name}" needs compiled MMCV, and mmcv-lite is '
                'installed: install `mmcv` built for this torch in its place '
                '(https://mmcv.readthedocs.io)'
            )

        return missing


def _provide_mmcv_ops() -> None:
    name = 'mmcv._ext'
    if name in sys.modules or importlib.util.find_spec(name) is not None:
        return
    stand_in = _MissingOps(name, doc=_MissingOps.__doc__)
    # Without a loader, `mmcv.utils.check_ops_exist()` keeps saying no.
    stand_in.__spec__ = ModuleSpec(name, loader=None)
    sys.modules[name] = stand_in


# --- mmengine's checkpoints under torch's weights-only reader ----------------------


def _restricted_getattr(owner: Any, name: str) -> Any:
    """What a checkpoint gets for ``builtins.getattr``: a few methods of mmengine.

    Raises:
        UnpicklingError: If anything else is asked for.
    """
    from mmengine.logging import HistoryBuffer
    from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler

    served = {
        HistoryBuffer: ('min', 'max', 'current', 'mean'),
        OneCycleParamScheduler: ('_annealing_cos', '_annealing_linear'),
    }
    if isinstance(owner, type) and name in served.get(owner, ()):
        return getattr(owner, name)
    raise UnpicklingError(
        f'refused: the checkpoint asks for attribute {name!r} of {owner!r}'
    )


def safe_globals() -> list[tuple[Callable, str]]:
    """The types beyond torch's own that a training checkpoint may hold.

    Returns:
        list[tuple]: (object, full name in the pickle): mmengine's log history and
        one-cycle schedule, and NumPy arrays, scalars and plain dtypes under their
        NumPy 1 and 2 names.
    """
    from mmengine.logging import HistoryBuffer
    from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler

    core = np._core if hasattr(np, '_core') else np.core
    allowed: list[tuple[Callable, str]] = [
        (HistoryBuffer, 'mmengine.logging.history_buffer.HistoryBuffer'),
        (
            OneCycleParamScheduler,
            'mmengine.optim.scheduler.param_scheduler.OneCycleParamScheduler',
        ),
        (_restricted_getattr, 'builtins.getattr'),
        (np.ndarray, 'numpy.ndarray'),
        (np.dtype, 'numpy.dtype'),
        (bytes, 'builtins.bytes'),  # the content of an empty array
    ]
    for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
        allowed.append((core.multiarray._reconstruct, f'{module}._reconstruct'))
        allowed.append((core.multiarray.scalar, f'{module}.scalar'))
    # A pickled dtype is rebuilt by its class, which must be allowed by name too.
    for code in '?bBhHiIlLqQefdU':
        dtype = type(np.dtype(code))
        allowed.append((dtype, f'{dtype.__module__}.{dtype.__qualname__}'))
    return allowed


def _allow_mmengine_checkpoints() -> None:
    # From torch 2.6 on files are read weights-only by default and entries can be
    # given a name; before that there is nothing to mend.
    version = tuple(int(part) for part in torch.__version__.split('.')[:2])
    if version >= (2, 6):
        torch.serialization.add_safe_globals(safe_globals())
