"""Engines that run a network on the CPU."""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.inference_files import ExportedFiles
from benchmarks.inference_networks import Network
from fpd_mmpose.deploy.runtimes import load_network
from fpd_mmpose.errors import UserError

EAGER, COMPILED = 'eager', 'compiled'
ONNXRUNTIME, INT8, OPENVINO = 'onnxruntime', 'int8', 'openvino'
TITLES = {
    EAGER: 'PyTorch eager',
    COMPILED: 'PyTorch compiled',
    ONNXRUNTIME: 'ONNX Runtime fp32',
    INT8: 'ONNX Runtime int8',
    OPENVINO: 'OpenVINO',
}
"""The engines, and their names in tables."""
#: Maps normalized crops, float32 (N, 3, H, W), to the head's output.
Run = Callable[[np.ndarray], np.ndarray]


def check_engines(engines: list[str]) -> None:
    """Checks that all engines are known."""
    if unknown := [name for name in engines if name not in TITLES]:
        raise UserError(f'engine "{unknown[0]}" is unknown: use {", ".join(TITLES)}')


def open_engine(
    engine: str, network: Network, files: ExportedFiles, threads: int
) -> Iterator[tuple[str, Run]]:
    """Yields the names in tables and the calls of an engine.

    OpenVINO comes twice where it would compute in less than float32 by default.
    """
    if engine == EAGER:
        yield TITLES[engine], network.run
    elif engine == COMPILED:
        yield TITLES[engine], _compiled(network)
    elif engine == OPENVINO:
        yield from _openvino(network, files, threads)
    else:
        path = files.path(network, engine == INT8)
        yield TITLES[engine], _onnxruntime(path, threads)


def _compiled(network: Network) -> Run:
    # Freezing makes weights constant and folds batch norms into convolutions.
    compiled = torch.compile(
        network.last_stage, dynamic=False, fullgraph=True, options=dict(freezing=True)
    )

    def run(crops: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            output = compiled(torch.from_numpy(crops))
        return (output[0] if isinstance(output, tuple) else output).numpy()

    return run


def _onnxruntime(path: Path, threads: int) -> Run:
    network = load_network(path, ONNXRUNTIME, threads=threads)
    return lambda crops: next(iter(network(crops).values()))


def _openvino(
    network: Network, files: ExportedFiles, threads: int
) -> Iterator[tuple[str, Run]]:
    if importlib.util.find_spec('openvino') is None:
        raise UserError('not installed: pip install openvino')
    import openvino

    core = openvino.Core()
    options = dict(
        INFERENCE_NUM_THREADS=threads, PERFORMANCE_HINT='LATENCY', NUM_STREAMS=1
    )
    path = str(files.path(network))

    def load(**precision: str) -> tuple[str, Run]:
        compiled = core.compile_model(path, 'CPU', options | precision)
        hint = compiled.get_property('INFERENCE_PRECISION_HINT').get_type_name()
        request = compiled.create_infer_request()
        run = lambda crops: request.infer([crops])[0]  # noqa: E731
        return f'{TITLES[OPENVINO]} {hint}', run

    title, run = load()
    yield title, run
    exact = load(INFERENCE_PRECISION_HINT='f32')
    if exact[0] != title:
        yield exact
