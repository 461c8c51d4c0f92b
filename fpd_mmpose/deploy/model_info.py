"""What an exported network says of itself."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

#: Of the metadata property of the ONNX file that holds it all, as JSON.
KEY = 'fpd_mmpose'
#: Raised when a reader of an older release would misread the file.
FORMAT = 1


@dataclass(frozen=True)
class ModelInfo:
    """How to feed an exported network and how to read what it returns.

    The network takes ``input``, float32 (N, 3, H, W), normalised; or, where
    ``image_order`` is set, ``image``, uint8 (N, H, W, 3). It returns ``heatmaps``,
    float32 (N, K, h, w); or, where ``decoded``, ``keypoints`` (N, K, 2) in input
    pixels and ``scores`` (N, K).

    Attributes:
        joints (tuple[str, ...]): Names of the K keypoints.
        links (tuple[tuple[int, int], ...]): Pairs of joints to join by a line.
        flip_indices (tuple[int, ...]): The joint that each becomes in the mirror, (K,).
        input_size (tuple[int, int]): Width and height of a crop.
        heatmap_size (tuple[int, int]): Width and height of a heatmap.
        channel_order (str): Of the network's input, ``'bgr'`` or ``'rgb'``.
        mean (tuple[float, ...]): Subtracted from grey levels 0 to 255, in that order.
        std (tuple[float, ...]): What the difference is divided by.
        codec (str): Class that decodes, ``'FPDHeatmap'`` or ``'MSRAHeatmap'``.
        crop (str): Class that crops, ``'FPDTopdownAffine'`` or ``'TopdownAffine'``.
        padding (float): Factor from a person's box to its crop.
        image_order (str, optional): ``'bgr'`` or ``'rgb'`` where the network takes
            images as they are and normalises them itself.
        decoded (bool): Whether the network decodes its heatmaps itself.
        flip_test (bool): Whether it averages with the mirrored crop.
        precision (str): ``'fp32'``, ``'fp16'`` or ``'int8'``.
        source (dict[str, str]): ``config``, ``checkpoint``, ``sha256`` of the
            checkpoint, and the ``version`` of fpd-mmpose.
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
    padding: float = 1.25
    image_order: str | None = None
    decoded: bool = False
    flip_test: bool = False
    precision: str = 'fp32'
    source: dict[str, str] = field(default_factory=dict)

    def to_metadata(self) -> dict[str, str]:
        """Makes the metadata property of the ONNX file."""
        return {KEY: json.dumps(dict(asdict(self), format=FORMAT))}

    @classmethod
    def from_metadata(cls, properties: dict[str, str], path: str) -> 'ModelInfo':
        """Reads the metadata properties of an ONNX file.

        Args:
            properties (dict[str, str]): All of the file's.
            path (str): Of the file, for the message.

        Returns:
            ModelInfo: What they say.

        Raises:
            ValueError: If they are not of tools/export_onnx.py. One line.
        """
        if KEY not in properties:
            raise ValueError(
                f'"{path}" does not say how to feed it: export the checkpoint with '
                'tools/export_onnx.py'
            )
        try:
            content = json.loads(properties[KEY])
            found = content.pop('format')
            if found == FORMAT:
                known = {one.name for one in fields(cls)}
                return cls(**{k: _frozen(v) for k, v in content.items() if k in known})
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise ValueError(
                f'"{path}" has damaged metadata ({error}): export it again'
            ) from error
        raise ValueError(
            f'"{path}" is of format {found}, this fpd-mmpose reads {FORMAT}: export '
            'the checkpoint again with this release'
        )


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(one) for one in value)
    return value
