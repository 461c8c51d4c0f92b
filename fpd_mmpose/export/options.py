"""What is exported, and what came of it."""

from dataclasses import dataclass

from fpd_mmpose.deploy.model_info import ModelInfo

#: Largest difference from PyTorch that is accepted, as a share of the highest absolute
#: heatmap value. Half precision keeps 11 bits of each of some hundred layers' outputs.
TOLERANCES = {'fp32': 1e-3, 'fp16': 5e-2}
#: Older ones lack quantisation of each channel, younger ones PyTorch's tracer.
OPSETS = range(13, 21)
ORDERS = (None, 'bgr', 'rgb')


@dataclass(frozen=True)
class ExportOptions:
    """How a network is exported.

    Attributes:
        flip_test (bool): Average with the mirrored crop, as MMPose's flip test does.
            It doubles the work.
        with_decode (bool): Return keypoints and scores in place of heatmaps.
        image_order (str, optional): ``'bgr'`` or ``'rgb'``: take images as they are,
            uint8, of that channel order, and normalise them in the graph.
        precision (str): ``'fp32'``; or ``'fp16'`` for GPUs, whose inputs and outputs
            stay float32.
        tolerance (float, optional): Largest difference from PyTorch's heatmaps, as a
            share of the highest absolute value. By default that of
            :data:`TOLERANCES`.
        opset (int): Of ONNX. 17 serves ONNX Runtime and OpenVINO.

    Raises:
        ValueError: If a value is none of these. One line.
    """

    flip_test: bool = False
    with_decode: bool = False
    image_order: str | None = None
    precision: str = 'fp32'
    tolerance: float | None = None
    opset: int = 17

    def __post_init__(self) -> None:
        if self.image_order not in ORDERS:
            raise ValueError(f'images are bgr or rgb, got {self.image_order!r}')
        if self.precision not in TOLERANCES:
            raise ValueError(
                f'precision must be {" or ".join(TOLERANCES)}, got {self.precision!r}'
            )
        if self.tolerance is not None and not self.tolerance > 0:
            raise ValueError(f'the tolerance must be above 0, got {self.tolerance}')
        if self.opset not in OPSETS:
            raise ValueError(
                f'the opset must be {OPSETS[0]} to {OPSETS[-1]}, got {self.opset}'
            )

    @property
    def limit(self) -> float:
        """The tolerance that holds."""
        return self.tolerance or TOLERANCES[self.precision]


#: Crops in, heatmaps out, float32.
PLAIN = ExportOptions()


@dataclass(frozen=True)
class ExportReport:
    """What was written.

    Attributes:
        path (str): The file.
        info (ModelInfo): What it says of itself.
        difference (float): Largest from PyTorch's heatmaps; in 8 bits, that of the
            graph before it was quantised.
        peak (float): Their highest absolute value.
        size (int): Bytes.
    """

    path: str
    info: ModelInfo
    difference: float
    peak: float
    size: int

    def __str__(self) -> str:
        """One line."""
        when = 'before that, ' if self.info.precision == 'int8' else ''
        return (
            f'{self.path}: {self.info.precision}, {self.size / 2**20:.1f} MiB; {when}'
            f'heatmaps differ from those of PyTorch by {self.difference:.1e} at most '
            f'(the highest is {self.peak:.2g})'
        )
