"""Options and results of exports."""

from dataclasses import dataclass

from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.errors import UserError

#: Largest accepted difference from PyTorch, relative to the highest absolute heatmap
#: value. Half precision keeps 11 bits of the outputs of some hundred layers.
TOLERANCES = {'fp32': 1e-3, 'fp16': 5e-2}
#: Older ones lack quantization per channel, and PyTorch's tracer lacks newer ones.
OPSETS = range(13, 21)


@dataclass(frozen=True)
class ExportOptions:
    """How to export a network.

    Args:
        flip_test: Averages with the mirrored crop, as MMPose's flip test does, which
            doubles the work.
        with_decode: Returns keypoints and scores instead of heatmaps.
        image_order: ``'bgr'`` or ``'rgb'`` to take uint8 images with this channel
            order, and to normalize them in the graph.
        precision: ``'fp32'``, or ``'fp16'`` for GPUs. Inputs and outputs are float32.
        tolerance: Largest accepted difference from PyTorch's heatmaps, relative to the
            highest absolute value. Defaults to :data:`TOLERANCES`.
        opset: ONNX opset. ONNX Runtime and OpenVINO support 17.

    Raises:
        UserError: If an option is invalid.
    """

    flip_test: bool = False
    with_decode: bool = False
    image_order: str | None = None
    precision: str = 'fp32'
    tolerance: float | None = None
    opset: int = 17

    def __post_init__(self) -> None:
        if self.image_order not in (None, 'bgr', 'rgb'):
            raise UserError(
                f'`image_order` must be bgr or rgb, got {self.image_order!r}'
            )
        if self.precision not in TOLERANCES:
            raise UserError(
                f'`precision` must be {" or ".join(TOLERANCES)}, got {self.precision!r}'
            )
        if self.tolerance is not None and not self.tolerance > 0:
            raise UserError(f'`tolerance` must be above 0, got {self.tolerance}')
        if self.opset not in OPSETS:
            raise UserError(
                f'`opset` must be {OPSETS[0]} to {OPSETS[-1]}, got {self.opset}'
            )

    @property
    def limit(self) -> float:
        """The tolerance, or its default."""
        return self.tolerance or TOLERANCES[self.precision]


#: Crops to heatmaps in float32.
PLAIN = ExportOptions()


@dataclass(frozen=True)
class ExportReport:
    """What was exported.

    The difference is the largest from PyTorch's heatmaps or vectors; for int8, before
    quantization.
    """

    path: str
    info: ModelInfo
    difference: float
    peak: float  # the highest absolute value of PyTorch's heatmaps or vectors
    size: int  # bytes of the file

    def __str__(self) -> str:
        before = ' before quantization' if self.info.precision == 'int8' else ''
        maps = ' and '.join(self.info.maps)
        return (
            f'{self.path}: {self.info.precision}, {self.size / 2**20:.1f} MiB; '
            f'{maps} differ from those of PyTorch by at most {self.difference:.1e}'
            f'{before} (highest value {self.peak:.2g})'
        )
