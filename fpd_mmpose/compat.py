"""Makes OpenMMLab's last releases work with today's torch and NumPy."""

import functools
import importlib.util
import pkgutil
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, distribution, version
from types import ModuleType
from typing import Any

import numpy as np
from torch import Tensor

from fpd_mmpose.errors import PackageError
from fpd_mmpose.version import OLDEST, TESTED


def check_stack() -> None:
    """Raises :class:`PackageError` if a package of OpenMMLab is missing or too old."""
    missing = [
        name
        for name in ('mmengine', 'mmcv', 'mmpose')
        if importlib.util.find_spec(name) is None
    ]
    if missing:
        raise PackageError.missing(*missing)
    check_versions()
    warn_of_untested()


# --- MMCV without compiled operators -----------------------------------------------


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Does non-maximum suppression, with the signature of MMCV's compiled kernel.

    A box (x1, y1, x2, y2) is ``x2 - x1 + offset`` wide. Returns the int64 indices of
    the kept boxes, best score first.
    """
    from torchvision.ops import nms as torchvision_nms

    # Widening every box by `offset` gives the areas and intersections that MMCV
    # computes with it. torchvision has no half-precision kernel on the CPU.
    boxes = boxes.float() + boxes.new_tensor([0, 0, offset, offset]).float()
    # MMCV's kernel compares in float32: an IoU of exactly 0.3 is not above 0.3.
    return torchvision_nms(boxes, scores.float(), float(np.float32(iou_threshold)))


class _MissingOps(ModuleType):
    """Stands in for ``mmcv._ext``: has ``nms``; other operators raise an error."""

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


def provide_mmcv_ops() -> None:
    """Installs a stand-in for MMCV's operators if they are not compiled."""
    name = 'mmcv._ext'
    if name in sys.modules or importlib.util.find_spec(name) is not None:
        return
    stand_in = _MissingOps(name, doc=_MissingOps.__doc__)
    # Without a loader, `mmcv.utils.check_ops_exist()` still returns False.
    stand_in.__spec__ = ModuleSpec(name, loader=None)
    sys.modules[name] = stand_in


# --- pkg_resources -----------------------------------------------------------------


class _Package:
    """What MMEngine asks of a distribution of ``pkg_resources``."""

    def __init__(self, name: str) -> None:
        self._found = distribution(name)
        self.version = self._found.version
        self.location = str(self._found.locate_file(''))

    def has_metadata(self, name: str) -> bool:
        return self._found.read_text(name) is not None

    def get_metadata(self, name: str) -> str:
        return self._found.read_text(name) or ''


class _PackageResources(MetaPathFinder, Loader):
    """Supplies ``pkg_resources``, a module because MMEngine reloads it."""

    def find_spec(self, fullname: str, *args: Any) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname == 'pkg_resources' else None

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update(
            get_distribution=_Package,
            DistributionNotFound=PackageNotFoundError,
            # pytest calls it when the module has been imported.
            fixup_namespace_packages=lambda path: None,
        )


def provide_pkg_resources() -> None:
    """Supplies what MMEngine 0.10 uses of ``pkg_resources``.

    setuptools has none since 81.
    """
    if importlib.util.find_spec('pkg_resources') is None:
        # Last, so that an installed one comes first.
        sys.meta_path.append(_PackageResources())


# --- Python 3.14 -------------------------------------------------------------------


def provide_find_loader() -> None:
    """Supplies ``pkgutil.find_loader`` for MMEngine 0.10 and MMCV 2.1.

    Python has none since 3.14.
    """
    if not hasattr(pkgutil, 'find_loader'):
        vars(pkgutil)['find_loader'] = _find_loader


def _find_loader(name: str) -> Any:
    found = importlib.util.find_spec(name)
    return found and found.loader


# --- xtcocotools -------------------------------------------------------------------


def use_mask_of_pycocotools() -> None:
    """Lets xtcocotools run the compiled code of pycocotools, which is the same.

    Wheels of xtcocotools 1.14 have their own for NumPy 1 and Python up to 3.11 alone.
    """
    if importlib.util.find_spec('pycocotools') is not None:
        sys.modules['xtcocotools._mask'] = importlib.import_module('pycocotools._mask')


# --- NumPy 2.4 -----------------------------------------------------------------------


def draw_circles_of_arrays() -> None:
    """Lets MMPose 1.3 draw keypoints, whose radius it gives as an array of one number.

    NumPy makes no scalar of it since 2.4.
    """
    from mmpose.visualization.opencv_backend_visualizer import OpencvBackendVisualizer

    draw = OpencvBackendVisualizer.draw_circles

    @functools.wraps(draw)
    def draw_circles(self: Any, center: Any, radius: Any, *args: Any, **kw: Any) -> Any:
        if self.backend == 'opencv':
            radius = np.asarray(radius).item()
        return draw(self, center, radius, *args, **kw)

    OpencvBackendVisualizer.draw_circles = draw_circles


# --- Albumentations ----------------------------------------------------------------


def require_albumentations_1() -> None:
    """Raises :class:`PackageError` where MMPose 1.3 lacks Albumentations, or has 2.

    With release 2 it fails, or ignores the holes of RTMPose's recipes.
    """
    from mmpose.datasets.transforms.common_transforms import Albumentation

    build = Albumentation.__init__

    @functools.wraps(build)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            found = version('albumentations')
        except PackageNotFoundError:
            found = 'none'
        if found == 'none' or _numbers(found, '2') >= (2,):
            raise PackageError(
                "MMPose's Albumentation needs albumentations 1 (installed: "
                f'{found}): run `pip install "albumentations>=1.4.18,<2"`'
            )
        build(self, *args, **kwargs)

    Albumentation.__init__ = __init__


# --- Versions ----------------------------------------------------------------------


def check_versions(oldest: Mapping[str, str] = OLDEST) -> None:
    """Raises :class:`PackageError` if an installed package is too old."""
    if outdated := _outdated(oldest):
        raise PackageError(f'fpd_mmpose needs {outdated}')


def warn_of_untested(tested: Mapping[str, str] = TESTED) -> None:
    """Warns in one line of packages that are older than the tested ones."""
    if outdated := _outdated(tested):
        warnings.warn(f'fpd_mmpose is only tested with {outdated}', stacklevel=2)


def _outdated(versions: Mapping[str, str]) -> str:
    """Lists the packages that are older than these versions."""
    outdated = []
    for name, needed in versions.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            continue
        if _numbers(found, needed) < _numbers(needed, needed):
            outdated.append(f'{name} {needed} or newer ({found} is installed)')
    return ', '.join(outdated)


def _numbers(text: str, like: str) -> tuple[int, ...]:
    """Returns as many numbers of a version as another has, (2, 6) for '2.6.0a0'."""
    return tuple(int(part) for part in re.findall(r'\d+', text)[: like.count('.') + 1])
