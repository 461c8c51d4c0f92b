"""Detects the origin of a weight file from its parameter names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from fpd_mmpose.weights.hourglass import from_reference, is_reference_hourglass
from fpd_mmpose.weights.official import from_official, is_hrnet, is_resnet
from fpd_mmpose.weights.wrappers import without_wrappers


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
    if is_hrnet(names):
        return _HRNET if has_heatmaps else _IMAGENET_HRNET
    if is_resnet(names):
        has_heatmaps &= 'deconv_layers.0.weight' in names
        return _RESNET if has_heatmaps else _IMAGENET_RESNET
    return None
