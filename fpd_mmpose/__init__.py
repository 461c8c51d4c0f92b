"""Fast Pose Distillation (Zhang et al., CVPR 2019) as a plugin of MMPose 1.x.

Importing the package is cheap and is all that MMPose needs: the components register
themselves, and checkpoints are read safely, as soon as MMPose is imported. The public
names are loaded on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

from fpd_mmpose.errors import UserError as UserError
from fpd_mmpose.errors import explain_missing
from fpd_mmpose.plugin import plug_in
from fpd_mmpose.version import __version__ as __version__

if TYPE_CHECKING:
    from fpd_mmpose.checks import check as check
    from fpd_mmpose.codecs import FPDHeatmap as FPDHeatmap
    from fpd_mmpose.datasets import FPDMpiiDataset as FPDMpiiDataset
    from fpd_mmpose.datasets import UnlabeledPoseDataset as UnlabeledPoseDataset
    from fpd_mmpose.deploy import PoseSession as PoseSession
    from fpd_mmpose.deploy.draw import draw_poses as draw_poses
    from fpd_mmpose.distillation import distill as distill
    from fpd_mmpose.evaluation import MpiiPCKh as MpiiPCKh
    from fpd_mmpose.export import export_onnx as export_onnx
    from fpd_mmpose.models import FPDDistiller as FPDDistiller
    from fpd_mmpose.models import HeatmapDistillLoss as HeatmapDistillLoss
    from fpd_mmpose.models import SimCCDistillLoss as SimCCDistillLoss
    from fpd_mmpose.models import StackedHourglass as StackedHourglass
    from fpd_mmpose.studies import run_study as run_study
    from fpd_mmpose.teachers.cache.command import cache_teacher as cache_teacher
    from fpd_mmpose.weights.conversion import convert as convert
    from fpd_mmpose.weights.initialization import load_model as load_model

#: The module of each public name.
_HOMES = {
    'FPDDistiller': 'models',
    'FPDHeatmap': 'codecs',
    'FPDMpiiDataset': 'datasets',
    'HeatmapDistillLoss': 'models',
    'MpiiPCKh': 'evaluation',
    'PoseSession': 'deploy',
    'SimCCDistillLoss': 'models',
    'StackedHourglass': 'models',
    'UnlabeledPoseDataset': 'datasets',
    'cache_teacher': 'teachers.cache.command',
    'check': 'checks',
    'convert': 'weights.conversion',
    'distill': 'distillation',
    'draw_poses': 'deploy.draw',
    'export_onnx': 'export',
    'load_model': 'weights.initialization',
    'run_study': 'studies',
}

__all__ = sorted(['UserError', '__version__', *_HOMES])

plug_in()


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    try:
        module = importlib.import_module(f'{__name__}.{home}')
    except ModuleNotFoundError as error:
        raise explain_missing(error) from error
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
