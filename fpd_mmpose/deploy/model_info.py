"""The description that an exported network carries in its metadata."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from fpd_mmpose.decoding import DARK, DECODERS, OFFSETS
from fpd_mmpose.errors import UserError
from fpd_mmpose.geometry import PADDING
from fpd_mmpose.readers.text import parse_json

#: The metadata property of the ONNX file that holds the description as JSON.
KEY = 'fpd_mmpose'
#: Raised when older releases would misread the description.
FORMAT = 1
#: The largest side of a crop, which bounds the memory that a file can ask for.
MAX_SIZE = 4096
#: The largest kernel that smooths outputs; those of MMPose's configs are 3 to 37.
MAX_KERNEL = 255
#: The largest number, and the smallest by which others are divided.
LARGEST, LEAST = 1e12, 1e-6
#: What codecs need beside the sizes.
SETTINGS = {
    DARK: {'blur_kernel'},
    'UDPHeatmap': {'blur_kernel'},
    OFFSETS: {'blur_kernel', 'offset_radius'},
    'MegviiHeatmap': {'blur_kernel'},
    'SimCCLabel': {'split_ratio'},
}
#: What they can do without.
OPTIONS = {'SimCCLabel': {'blur_kernel'}}
_SETTING_NAMES = ('blur_kernel', 'offset_radius', 'split_ratio')
#: Whose heatmaps reach from the first pixel of the crop to the last.
_UDP = ('UDPHeatmap', OFFSETS)


@dataclass(frozen=True)
class ModelInfo:
    """The input and output of an exported network.

    The network takes ``input``, normalized float32 (N, 3, H, W); or, if ``image_order``
    is set, ``image``, uint8 (N, H, W, 3). It returns what :attr:`maps` names: usually
    ``heatmaps``, float32 (N, K, h, w); or, if ``decoded``, ``keypoints`` (N, K, 2) in
    input pixels and ``scores`` (N, K).

    Attributes:
        joints: Names of the K keypoints.
        links: Pairs of keypoints that a skeleton connects.
        flip_indices: The keypoint that each becomes in a mirrored image, (K,).
        input_size: Width and height of a crop.
        heatmap_size: Width and height of a heatmap, or lengths of SimCC's vectors.
        channel_order: ``'bgr'`` or ``'rgb'``, the order that the network expects.
        mean: Subtracted from values of 0 to 255, in that order.
        std: Divides the difference, in that order.
        codec: The codec, one of :data:`fpd_mmpose.decoding.DECODERS`.
        crop: The transform that crops, one of :data:`fpd_mmpose.geometry.WARPS`.
        padding: The factor that enlarges a box before it is cropped.
        image_order: ``'bgr'`` or ``'rgb'`` if the network normalizes images itself.
        decoded: Whether the network decodes its heatmaps.
        flip_test: Whether the network averages with the mirrored crop.
        precision: ``'fp32'``, ``'fp16'``, or ``'int8'``.
        blur_kernel: Odd sizes along x and y of the Gaussian that smooths heatmaps or
            vectors before they are decoded, if the codec does that.
        offset_radius: Heatmap pixels of an offset of 1, if the codec has offsets.
        split_ratio: Bins of SimCC's vectors per input pixel.
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
    blur_kernel: tuple[int, int] | None = None
    offset_radius: float | None = None
    split_ratio: float | None = None
    source: dict[str, str] = field(default_factory=dict)

    @property
    def maps(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes, without the batch, of what the network predicts."""
        joints = len(self.joints)
        width, height = self.heatmap_size
        if self.codec == 'SimCCLabel':
            return {'simcc_x': (joints, width), 'simcc_y': (joints, height)}
        channels = 3 * joints if self.codec == OFFSETS else joints
        return {'heatmaps': (channels, height, width)}

    @property
    def outputs(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes, without the batch, of what the file returns."""
        if not self.decoded:
            return self.maps
        joints = len(self.joints)
        return {'keypoints': (joints, 2), 'scores': (joints,)}

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of the codec's function beside :attr:`maps`."""
        given = dict(blur_kernel=self.blur_kernel, offset_radius=self.offset_radius)
        return {name: value for name, value in given.items() if value is not None}

    @property
    def pixel(self) -> tuple[float, float]:
        """Width and height of a heatmap pixel, or SimCC's bins, in input pixels."""
        if self.split_ratio is not None:
            return 1 / self.split_ratio, 1 / self.split_ratio
        less = 1 if self.codec in _UDP else 0
        (width, height), (columns, rows) = self.input_size, self.heatmap_size
        return width / (columns - less), height / (rows - less)

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
            content = parse_json(properties[KEY])
            found = content.pop('format')
            if found == FORMAT:
                known = {each.name for each in fields(cls)}
                values = {k: _as_tuples(v) for k, v in content.items() if k in known}
                info = cls(**values)
                check_values(info)
                return info
        except (
            ValueError,
            TypeError,
            LookupError,
            AttributeError,
            RecursionError,
        ) as error:
            raise UserError(
                f'"{path}" has damaged metadata ({error}): export the checkpoint again'
            ) from error
        raise UserError(
            f'"{path}" has metadata of format {found}, and this release of fpd-mmpose '
            f'reads format {FORMAT}: export the checkpoint again with this release'
        )


def decode_maps(info: ModelInfo, *maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Decodes what ``info.maps`` names, also of a network that decodes by itself.

    Returns keypoints (n, K, 2) in pixels of the crops, and scores (n, K).
    """
    keypoints, scores = DECODERS[info.codec](*maps, **info.settings)
    return keypoints * np.array(info.pixel, np.float32), scores


def _as_tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_as_tuples(each) for each in value)
    return value


def check_values(info: ModelInfo) -> None:
    """Raises an error for types and sizes that JSON allows and the runtime does not."""
    names = (*info.joints, info.codec, info.crop, info.channel_order)
    given = {name for name in _SETTING_NAMES if getattr(info, name) is not None}
    needed = SETTINGS.get(info.codec, set())
    factors = [getattr(info, name) for name in given - {'blur_kernel'}]
    factors.append(info.padding)
    numbers = (*info.mean, *info.std, *factors)
    indices = (*info.flip_indices, *(index for link in info.links for index in link))
    sizes = (*info.input_size, *info.heatmap_size)
    kernels = (3, 3) if info.blur_kernel is None else info.blur_kernel
    lists = (info.joints, info.links, info.flip_indices, info.mean, info.std, kernels)
    pairs = (info.input_size, info.heatmap_size, kernels, *info.links)
    for what, valid in (
        ('lists', all(isinstance(each, tuple) for each in lists)),
        ('names', info.joints and all(isinstance(name, str) for name in names)),
        # Written so that NaN is invalid, too.
        ('numbers', all(abs(number) <= LARGEST for number in numbers)),
        ('std', all(number >= LEAST for number in info.std)),
        ('integers', all(type(n) is int for n in (*indices, *sizes, *kernels))),
        ('indices', all(0 <= index < len(info.joints) for index in indices)),
        ('sizes', all(0 < size <= MAX_SIZE for size in sizes)),
        ('kernels', all(1 < n <= MAX_KERNEL and n % 2 == 1 for n in kernels)),
        ('factors', all(LEAST <= factor <= MAX_SIZE for factor in factors)),
        ('pairs', all(len(pair) == 2 for pair in pairs)),
        ('channels', len(info.mean) == len(info.std) == 3),
        (
            'settings of the codec',
            needed <= given <= needed | OPTIONS.get(info.codec, set()),
        ),
        ('grid', info.codec not in _UDP or min(info.heatmap_size) > 1),
    ):
        if not valid:
            raise ValueError(f'invalid {what}')
