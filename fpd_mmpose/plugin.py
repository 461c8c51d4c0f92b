"""Plugs the package into OpenMMLab once OpenMMLab is imported.

``import fpd_mmpose`` must be cheap for those who only need :mod:`fpd_mmpose.deploy` or
the help of a command, and still be all that MMPose needs. So each step below waits for
the module it concerns, or runs at once if that module has been imported already.
"""

import importlib
import sys
from collections.abc import Sequence
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

#: Functions of this package to call once a module has been imported. MMPose may be half
#: imported when those after ``mmengine.runner`` run; they need mmengine alone.
STEPS = {
    'mmengine': (
        'compat.check_stack',
        'compat.provide_find_loader',
        'compat.provide_pkg_resources',
        'packaged_configs.install_for_bases',
    ),
    'mmcv': ('compat.provide_mmcv_ops',),
    'xtcocotools': ('compat.use_mask_of_pycocotools',),
    'mmengine.dataset': ('draws.install',),
    'mmengine.runner': (
        'weights.unpickling.install',
        'weights.mmengine_loader.install',
        'runs.whole_file_backend.install',
        'runs.resuming.install',
        'runs.stop_signals.install',
    ),
    'mmengine.infer': (
        'weights.mmengine_loader.require_config',
        'packaged_configs.install_for_inferencers',
    ),
    'mmengine.hub': ('packaged_configs.install_for_hub',),
    'mmpose.registry': ('plugin.register_components',),
    'mmpose.datasets.datasets.utils': ('readers.metainfo.install',),
    'mmpose.datasets.transforms.common_transforms': (
        'compat.require_albumentations_1',
    ),
    'mmpose.visualization.opencv_backend_visualizer': (
        'compat.draw_circles_of_arrays',
    ),
}


def plug_in() -> None:
    """Schedules every step. Calling it again is harmless."""
    if any(isinstance(finder, _Watcher) for finder in sys.meta_path):
        return
    watcher = _Watcher()
    sys.meta_path.insert(0, watcher)
    try:
        for name in STEPS:
            if name in sys.modules:
                watcher.run_steps(name)
    except BaseException:
        sys.meta_path.remove(watcher)  # so that the next import fails as well
        raise


def register_components() -> None:
    """Has each registry of MMPose import the components of its kind."""
    registries = sys.modules['mmpose.registry']
    for name, module in COMPONENTS.items():
        registry = getattr(registries, name)
        if registry._imported:
            importlib.import_module(module)
        else:
            registry._locations.append(module)


class _Watcher(MetaPathFinder):
    """Runs steps right after the module they wait for has been imported."""

    def __init__(self) -> None:
        self.waiting = {*STEPS}

    def run_steps(self, name: str) -> None:
        if name in self.waiting:
            for step in STEPS[name]:
                module, _, function = step.rpartition('.')
                getattr(importlib.import_module(f'fpd_mmpose.{module}'), function)()
            self.waiting.discard(name)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname not in self.waiting:
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
    """Loads a module with its own loader, then runs the steps that wait for it."""

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
        self.watcher.run_steps(module.__name__)
