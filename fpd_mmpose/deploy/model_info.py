"""The description that an exported network carries in its metadata."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from fpd_mmpose.errors import UserError
from fpd_mmpose.geometry import PADDING

#: The metadata property of the ONNX file that holds the description as JSON.
KEY = 'fpd_mmpose'
#: Raised when older releases would misread the description.
FORMAT = 1
#: The largest side of a crop, which bounds the memory that a file can ask for.
MAX_SIZE = 4096


@dataclass(frozen=True)
class ModelInfo:
    """The input and output of an exported network.

    The network takes ``input``, normalized float32 (N, 3, H, W); or, if ``image_order``
    is set, ``image``, uint8 (N, H, W, 3). It returns ``heatmaps``, float32
    (N, K, h, w); or, if ``decoded``, ``keypoints`` (N, K, 2) in input pixels and
    ``scores`` (N, K).

    Attributes:
        joints: Names of the K keypoints.
        links: Pairs of keypoints that a skeleton connects.
        flip_indices: The keypoint that each becomes in a mirrored image, (K,).
        input_size: Width and height of a crop.
        heatmap_size: Width and height of a heatmap.
        channel_order: ``'bgr'`` or ``'rgb'``, the order that the network expects.
        mean: Subtracted from values of 0 to 255, in that order.
        std: Divides the difference, in that order.
        codec: The class that decodes, ``'FPDHeatmap'`` or ``'MSRAHeatmap'``.
        crop: The class that crops, ``'FPDTopdownAffine'`` or ``'TopdownAffine'``.
        padding: The factor that enlarges a box before it is cropped.
        image_order: ``'bgr'`` or ``'rgb'`` if the network normalizes images itself.
        decoded: Whether the network decodes its heatmaps.
        flip_test: Whether the network averages with the mirrored crop.
        precision: ``'fp32'``, ``'fp16'``, or ``'int8'``.
        source: The ``config``, the ``checkpoint`` and its ``sha256``, and the
            ``version`` of fpd-mmpose.
    """

    joints: tuple[str, ...]
    links: tuple[tuple[int, int], ...]
    flip_indices: tuple[int, ...]
    input_size: tuple[int, int]
    heatmap_size: tuple[int, int]
    channel_order: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    codec: str = 'FPDHeatmap'
    crop: str = 'FPDTopdownAffine'
    padding: float = PADDING
    image_order: str | None = None
    decoded: bool = False
    flip_test: bool = False
    precision: str = 'fp32'
    source: dict[str, str] = field(default_factory=dict)

    def to_metadata(self) -> dict[str, str]:
        """Returns the metadata property of the ONNX file."""
        return {KEY: json.dumps(dict(asdict(self), format=FORMAT))}

    @classmethod
    def from_metadata(cls, properties: dict[str, str], path: str) -> 'ModelInfo':
        """Reads the metadata properties of the ONNX file ``path``."""
        if KEY not in properties:
            raise UserError(
                f'"{path}" does not describe its input and output: export the '
                'checkpoint with tools/export_onnx.py'
            )
        try:
            content = json.loads(properties[KEY])
            found = content.pop('format')
            if found == FORMAT:
                known = {each.name for each in fields(cls)}
                values = {k: _as_tuples(v) for k, v in content.items() if k in known}
                info = cls(**values)
                _check_values(info)
                return info
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise UserError(
                f'"{path}" has damaged metadata ({error}): export the checkpoint again'
            ) from error
        raise UserError(
            f'"{path}" has metadata of format {found}, and this release of fpd-mmpose '
            f'reads format {FORMAT}: export the checkpoint again with this release'
        )


def _as_tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_as_tuples(each) for each in value)
    return value


def _check_values(info: ModelInfo) -> None:
    """Raises an error for types and sizes that JSON allows and the runtime does not."""
    names = (*info.joints, info.codec, info.crop, info.channel_order)
    numbers = (*info.mean, *info.std, info.padding)
    indices = (*info.flip_indices, *(index for link in info.links for index in link))
    sizes = (*info.input_size, *info.heatmap_size)
    pairs = (info.input_size, info.heatmap_size, *info.links)
    for what, valid in (
        ('names', all(isinstance(name, str) for name in names)),
        ('numbers', all(isinstance(number, int | float) for number in numbers)),
        ('integers', all(type(number) is int for number in (*indices, *sizes))),
        ('indices', all(0 <= index < len(info.joints) for index in indices)),
        ('sizes', all(0 < size <= MAX_SIZE for size in sizes)),
        ('pairs', all(len(pair) == 2 for pair in pairs)),
        ('channels', len(info.mean) == len(info.std) == 3),
    ):
        if not valid:
            raise ValueError(f'invalid {what}')
