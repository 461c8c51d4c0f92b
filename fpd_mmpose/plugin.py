"""Plugs the package into OpenMMLab once OpenMMLab is imported.

``import fpd_mmpose`` must be cheap for those who only need :mod:`fpd_mmpose.deploy` or
the help of a command, and still be all that MMPose needs. So each step below waits for
the module it concerns, or runs at once if that module has been imported already.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

#: The module that each of MMPose's registries imports before its first lookup.
COMPONENTS = {
    'MODELS': 'fpd_mmpose.models',
    'KEYPOINT_CODECS': 'fpd_mmpose.codecs',
    'DATASETS': 'fpd_mmpose.datasets',
    'DATA_SAMPLERS': 'fpd_mmpose.datasets',
    'TRANSFORMS': 'fpd_mmpose.datasets',
    'METRICS': 'fpd_mmpose.evaluation',
    'HOOKS': 'fpd_mmpose.engine',
}


def plug_in() -> None:
    """Schedules every step. Calling it again is harmless."""
    if any(isinstance(finder, _Watcher) for finder in sys.meta_path):
        return
    steps = {
        'mmengine': _start,
        'mmcv': _supply_operators,
        'xtcocotools': _use_mask,
        'mmengine.dataset': _number_draws,
        'mmengine.runner': _guard_runs,
        'mmengine.infer': _guard_inferencers,
        'mmengine.hub': _name_configs,
        'mmpose.registry': _register_components,
        'mmpose.visualization.opencv_backend_visualizer': _draw_circles,
    }
    watcher = _Watcher(steps)
    sys.meta_path.insert(0, watcher)
    try:
        for name in list(steps):
            if name in sys.modules:
                watcher.run_step(name)
    except BaseException:
        sys.meta_path.remove(watcher)  # so that the next import fails as well
        raise


def _start() -> None:
    from fpd_mmpose.compat import (
        check_stack,
        provide_find_loader,
        provide_pkg_resources,
    )

    check_stack()
    provide_find_loader()
    provide_pkg_resources()
    from fpd_mmpose.packaged_configs import install_for_bases

    install_for_bases()


def _supply_operators() -> None:
    from fpd_mmpose.compat import provide_mmcv_ops

    provide_mmcv_ops()


def _use_mask() -> None:
    from fpd_mmpose.compat import use_mask_of_pycocotools

    use_mask_of_pycocotools()


def _guard_runs() -> None:
    # MMPose may be half imported at this point; these need mmengine alone.
    from fpd_mmpose.runs import resuming, stop_signals, whole_file_backend
    from fpd_mmpose.weights import mmengine_loader, unpickling

    unpickling.install()
    mmengine_loader.install()
    whole_file_backend.install()
    resuming.install()
    stop_signals.install()


def _number_draws() -> None:
    from fpd_mmpose.draws import install

    install()


def _guard_inferencers() -> None:
    from fpd_mmpose.packaged_configs import install_for_inferencers
    from fpd_mmpose.weights.mmengine_loader import require_config

    require_config()
    install_for_inferencers()


def _name_configs() -> None:
    from fpd_mmpose.packaged_configs import install_for_hub

    install_for_hub()


def _draw_circles() -> None:
    from fpd_mmpose.compat import draw_circles_of_arrays

    draw_circles_of_arrays()


def _register_components() -> None:
    registries = sys.modules['mmpose.registry']
    for name, module in COMPONENTS.items():
        registry = getattr(registries, name)
        if registry._imported:
            importlib.import_module(module)
        else:
            registry._locations.append(module)


class _Watcher(MetaPathFinder):
    """Runs a step right after the module it waits for has been imported."""

    def __init__(self, steps: dict[str, Callable[[], None]]):
        self.steps = steps

    def run_step(self, name: str) -> None:
        if step := self.steps.get(name):
            step()
            self.steps.pop(name, None)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname not in self.steps:
            return None
        for finder in sys.meta_path:
            if finder is self:
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _ThenRun(spec.loader, self)
                return spec
        return None


class _ThenRun(Loader):
    """Loads a module with its own loader, then runs the step that waits for it."""

    def __init__(self, loader: Loader, watcher: _Watcher):
        self.loader = loader
        self.watcher = watcher

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # Pickling, inspection, and resources rely on the module's own loader.
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        self.loader.exec_module(module)
        self.watcher.run_step(module.__name__)
