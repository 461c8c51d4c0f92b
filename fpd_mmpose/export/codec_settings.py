"""How the codec of a pose estimator decodes, and which codecs can be exported."""

from typing import Any

from mmpose.codecs import MegviiHeatmap, MSRAHeatmap, SimCCLabel, UDPHeatmap
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.models.pose_estimators import TopdownPoseEstimator
from torch import nn

from fpd_mmpose.codecs import FPDHeatmap
from fpd_mmpose.decoding import DARK, OFFSETS
from fpd_mmpose.errors import UserError
from fpd_mmpose.teachers.output_format import pose_head

_KINDS = (FPDHeatmap, MSRAHeatmap, UDPHeatmap, MegviiHeatmap, SimCCLabel)
#: Why estimators and codecs of other kinds cannot be exported.
_OTHER_ESTIMATORS = {
    'BottomupPoseEstimator': 'finds all people of an image at once, and an exported '
    'network gets the crop of one person',
    'PoseLifter': 'computes 3-D poses from 2-D ones, and an exported network gets an '
    'image',
}
_COORDINATES = 'gives coordinates without heatmaps that decoding could start from'
_SEVERAL_PEOPLE = 'gives the joints of several people, who are then to be told apart'
_THREE_DIMENSIONS = 'gives 3-D keypoints'
_OTHER_CODECS = {
    'RegressionLabel': _COORDINATES,
    'IntegralRegressionLabel': 'gives the mean of its heatmaps, not a maximum',
    'AssociativeEmbedding': _SEVERAL_PEOPLE,
    'DecoupledHeatmap': _SEVERAL_PEOPLE,
    'SPR': _SEVERAL_PEOPLE,
    'YOLOXPoseAnnotationProcessor': _SEVERAL_PEOPLE,
    'EDPoseLabel': _SEVERAL_PEOPLE,
    'Hand3DHeatmap': _THREE_DIMENSIONS,
    'ImagePoseLifting': _THREE_DIMENSIONS,
    'VideoPoseLifting': _THREE_DIMENSIONS,
    'MonoPoseLifting': _THREE_DIMENSIONS,
    'MotionBERTLabel': _THREE_DIMENSIONS,
}


def check_estimator(model: nn.Module) -> TopdownPoseEstimator:
    """Returns a model that is a top-down estimator, and refuses others."""
    if isinstance(model, TopdownPoseEstimator):
        return model
    kind = type(model).__name__
    reason = _OTHER_ESTIMATORS.get(kind, 'is no top-down pose estimator')
    raise UserError(
        f'a {kind} cannot be exported: it {reason}; use a TopdownPoseEstimator with '
        'heatmaps or SimCC'
    )


def codec_of(model: TopdownPoseEstimator) -> BaseKeypointCodec:
    """Returns the codec that decodes the outputs of a model."""
    codec = getattr(pose_head(getattr(model, 'head', None)), 'decoder', None)
    if codec is None:
        raise UserError(
            'a network without a codec cannot be exported: set model.head.decoder in '
            'the config'
        )
    return codec


def codec_settings(codec: BaseKeypointCodec) -> dict[str, Any]:
    """Returns the fields of :class:`ModelInfo` that the codec sets."""
    kind = type(codec)  # a subclass may decode differently
    if kind not in _KINDS:
        name = kind.__name__
        reason = _OTHER_CODECS.get(name, 'decodes in a way that is not known here')
        known = ', '.join(each.__name__ for each in _KINDS)
        raise UserError(
            f'a network with {name} cannot be exported: it {reason}; use a head with '
            f'one of {known}'
        )
    if kind is SimCCLabel:
        return _simcc(codec)
    fields: dict[str, Any] = dict(
        codec=kind.__name__,
        input_size=_size(codec.input_size),
        heatmap_size=_size(codec.heatmap_size),
    )
    if kind is MegviiHeatmap:
        fields.update(blur_kernel=_square(codec.kernel_size))
    elif kind is MSRAHeatmap and codec.unbiased:
        fields.update(codec=DARK, blur_kernel=_square(codec.blur_kernel_size))
    elif kind is UDPHeatmap and codec.heatmap_type == 'combined':
        fields.update(
            codec=OFFSETS,
            blur_kernel=_square(2 * codec.blur_kernel_size + 1),
            offset_radius=float(codec.radius_factor * max(codec.heatmap_size)),
        )
    elif kind is UDPHeatmap:
        fields.update(blur_kernel=_square(codec.blur_kernel_size))
    return fields


def _size(value: Any) -> tuple[int, int]:
    width, height = value
    return int(width), int(height)


def _square(kernel: int) -> tuple[int, int]:
    return int(kernel), int(kernel)


def _simcc(codec: SimCCLabel) -> dict[str, Any]:
    width, height = _size(codec.input_size)
    ratio = float(codec.simcc_split_ratio)
    kernels = None
    if codec.use_dark:
        # The largest odd size that OpenCV's rule gives for each standard deviation.
        sizes = [int((sigma * 20 - 7) // 3) for sigma in codec.sigma]
        kernels = tuple(each - (each % 2 == 0) for each in sizes)
    return dict(
        codec='SimCCLabel',
        input_size=(width, height),
        heatmap_size=(int(width * ratio), int(height * ratio)),
        blur_kernel=kernels,
        split_ratio=ratio,
    )
