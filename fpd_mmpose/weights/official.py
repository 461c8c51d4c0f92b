"""Names of official HRNet, SimpleBaseline and torchvision weights, and MMPose's."""

import re
from collections.abc import Collection, Mapping

from torch import Tensor

from fpd_mmpose.errors import UserError
from fpd_mmpose.weights.wrappers import without_wrappers

_HEAD = ('final_layer.weight', 'final_layer.bias', 'deconv_layers.')
# What only classification needs: HRNet's and ResNet's classifiers, and the branches
# of HRNet's last fusion that a pose estimator does not read.
_CLASSIFIER = re.compile(
    r'(incre_modules|downsamp_modules|final_layer|classifier|fc)\.'
    r'|stage4\.2\.fuse_layers\.[123]\.'
)


def is_hrnet(names: Collection[str]) -> bool:
    """Tells whether the names, without wrappers, are those of an official HRNet.

    Args:
        names (Collection[str]): Names of weights.

    Returns:
        bool: True for pose and for ImageNet weights.
    """
    return {'conv1.weight', 'conv2.weight', 'stage4.2.branches.0.0.conv1.weight'} <= {
        *names
    }


def is_resnet(names: Collection[str]) -> bool:
    """Tells whether the names, without wrappers, are those of torchvision's ResNet.

    Args:
        names (Collection[str]): Names of weights.

    Returns:
        bool: True for SimpleBaseline and for ImageNet weights.
    """
    return {'conv1.weight', 'layer1.0.conv1.weight', 'layer4.0.conv1.weight'} <= {
        *names
    }


def from_official(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Renames official weights to those of a pose estimator of MMPose.

    What only a classifier needs is left out.

    Args:
        state_dict (Mapping): Pose or ImageNet weights; names may carry prefixes of
            wrappers.

    Returns:
        dict: The same tensors.
    """
    renamed = {}
    for name, value in without_wrappers(state_dict).items():
        if name.startswith(_HEAD):
            renamed[f'head.{name}'] = value
        elif not _CLASSIFIER.match(name):
            renamed[f'backbone.{name}'] = value
    return renamed


def to_official(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Gives the weights of MMPose's HRNet or SimpleBaseline their official names.

    Args:
        state_dict (Mapping): Weights of a pose estimator or of its backbone.

    Returns:
        dict: The same tensors in the same order.

    Raises:
        UserError: If a name is neither of a backbone nor of a head.
    """
    renamed = {}
    for name, value in state_dict.items():
        part, _, rest = name.partition('.')
        if part not in ('backbone', 'head'):
            raise UserError(f'"{name}" is neither of a backbone nor of a head')
        renamed[rest] = value
    return renamed
