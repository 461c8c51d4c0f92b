"""Exports the networks of the benchmark as ONNX files."""

from pathlib import Path

import numpy as np
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from benchmarks.inference_networks import Network
from fpd_mmpose.export import (
    ExportOptions,
    export_model,
    quantize_model,
    trace_to_onnx,
)
from fpd_mmpose.export.describe import describe
from fpd_mmpose.export.int8.quantizing import REDUCE_RANGE
from fpd_mmpose.export.int8.search import LIMIT
from fpd_mmpose.files import replace_when_done

#: People drawn to calibrate a network in 8 bits, with random and with trained weights,
#: which need more people to keep their keypoints in place.
_FEW, _MANY = 8, 64


class ExportedFiles:
    """Exports each network once, when it is first needed."""

    def __init__(self, folder: Path):
        self._folder = folder

    def path(self, network: Network, int8: bool = False) -> Path:
        """Exports a network and returns the file, for PoseSession if possible.

        In 8 bits, it is calibrated on drawn people.
        """
        path = self._folder / f'{network.name}{"-int8" if int8 else ""}.onnx'
        if not path.exists():
            described = _is_described(network)
            trained = network.checkpoint is not None
            if int8 and described:
                crops = [
                    crop[None] for crop in network.crops(_MANY if trained else _FEW)
                ]
                limit = LIMIT if trained else None
                quantize_model(network.model, path, crops, limit=limit)
            elif int8:
                _quantize(self.path(network), path, network.crops(_FEW))
            elif described:
                export_model(network.model, path)
            else:
                _trace(network, path)
        return path


def _is_described(network: Network) -> bool:
    try:
        describe(network.model, ExportOptions())
    except ValueError:
        return False
    return True


def _trace(network: Network, path: Path) -> None:
    crop = torch.from_numpy(network.crops(1))
    names = ['x', 'y'] if network.has_vectors else ['heatmaps']
    with replace_when_done(path) as partial:
        trace_to_onnx(network.last_stage, crop, partial, ['input'], names)


def _quantize(source: Path, path: Path, crops: np.ndarray) -> None:
    with replace_when_done(path) as partial:
        # Symbolic shapes fail for some networks, and only the batch is symbolic.
        quant_pre_process(str(source), str(partial), skip_symbolic_shape=True)
        quantize_static(
            str(partial),
            str(partial),
            _Crops(crops),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=REDUCE_RANGE,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )


class _Crops(CalibrationDataReader):
    def __init__(self, crops: np.ndarray):
        self._inputs = ({'input': crop[None]} for crop in crops)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Returns the next crop as the network's input."""
        return next(self._inputs, None)
