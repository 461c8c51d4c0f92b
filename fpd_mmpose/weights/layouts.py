"""Renames weights of other projects to ours, and back; knows them by their names."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from fpd_mmpose.errors import UserError
from fpd_mmpose.weights.hourglass import from_reference, is_reference_hourglass
from fpd_mmpose.weights.wrappers import without_wrappers

_HEAD = ('final_layer.weight', 'final_layer.bias', 'deconv_layers.')
# Only classification needs these: the classifiers of HRNet and ResNet, and the branches
# of HRNet's last fusion that a pose estimator does not use.
_CLASSIFIER = re.compile(
    r'(incre_modules|downsamp_modules|final_layer|classifier|fc)\.'
    r'|stage4\.2\.fuse_layers\.[123]\.'
)


def from_official(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Renames official weights to MMPose's, and drops those of the classifier."""
    renamed = {}
    for name, value in without_wrappers(state_dict).items():
        if name.startswith(_HEAD):
            renamed[f'head.{name}'] = value
        elif not _CLASSIFIER.match(name):
            renamed[f'backbone.{name}'] = value
    return renamed


def to_official(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Renames the weights of MMPose's HRNet or ResNet to the official ones."""
    renamed = {}
    for name, value in state_dict.items():
        part, _, rest = name.partition('.')
        if part not in ('backbone', 'head'):
            raise UserError(f'"{name}" is a weight of neither a backbone nor a head')
        renamed[rest] = value
    return renamed


@dataclass(frozen=True)
class Layout:
    """How a project names its weights.

    ``rename`` gives tensors the names used here, and raises :class:`UserError` for a
    name that is not of this layout. A teacher and ``load_from`` accept the weights of
    ``is_foreign_pose`` layouts, which are of whole pose estimators, without conversion.
    """

    title: str
    rename: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
    is_foreign_pose: bool = False


_OURS = Layout('weights of this project or MMPose', without_wrappers)
_HOURGLASS = Layout(
    "the reference's hourglass weights", from_reference, is_foreign_pose=True
)
_HRNET = Layout('official HRNet pose weights', from_official, is_foreign_pose=True)
_RESNET = Layout(
    'official SimpleBaseline pose weights', from_official, is_foreign_pose=True
)
_IMAGENET_HRNET = Layout('an ImageNet HRNet', from_official)
_IMAGENET_RESNET = Layout('an ImageNet ResNet', from_official)

#: The layouts that :func:`recognize` knows.
KNOWN = (
    "the reference's hourglass, official HRNet and SimpleBaseline pose weights, "
    "ImageNet HRNet and ResNet, and this project's and MMPose's"
)


def recognize(state_dict: Mapping[str, object]) -> Layout | None:
    """Detects the layout of weights, with or without wrappers; None if unknown."""
    names = {str(name) for name in without_wrappers(state_dict)}
    if any(name.startswith('backbone.') for name in names):
        return _OURS
    if is_reference_hourglass(dict.fromkeys(names)):
        return _HOURGLASS
    # ImageNet's HRNet also has a final_layer, but it is a sequence of layers.
    has_heatmaps = 'final_layer.weight' in names
    if names >= {'conv1.weight', 'conv2.weight', 'stage4.2.branches.0.0.conv1.weight'}:
        return _HRNET if has_heatmaps else _IMAGENET_HRNET
    if names >= {'conv1.weight', 'layer1.0.conv1.weight', 'layer4.0.conv1.weight'}:
        has_heatmaps &= 'deconv_layers.0.weight' in names
        return _RESNET if has_heatmaps else _IMAGENET_RESNET
    return None
