"""Renames weights of HRNet, SimpleBaseline, and torchvision to MMPose's, and back."""

import re
from collections.abc import Collection, Mapping

from torch import Tensor

from fpd_mmpose.errors import UserError
from fpd_mmpose.weights.wrappers import without_wrappers

_HEAD = ('final_layer.weight', 'final_layer.bias', 'deconv_layers.')
# Only classification needs these: the classifiers of HRNet and ResNet, and the branches
# of HRNet's last fusion that a pose estimator does not use.
_CLASSIFIER = re.compile(
    r'(incre_modules|downsamp_modules|final_layer|classifier|fc)\.'
    r'|stage4\.2\.fuse_layers\.[123]\.'
)


def is_hrnet(names: Collection[str]) -> bool:
    """Checks whether the names, without wrappers, are those of an official HRNet."""
    return {'conv1.weight', 'conv2.weight', 'stage4.2.branches.0.0.conv1.weight'} <= {
        *names
    }


def is_resnet(names: Collection[str]) -> bool:
    """Checks whether the names, without wrappers, are those of torchvision's ResNet."""
    return {'conv1.weight', 'layer1.0.conv1.weight', 'layer4.0.conv1.weight'} <= {
        *names
    }


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
