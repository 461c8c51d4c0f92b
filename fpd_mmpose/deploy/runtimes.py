"""Runtimes of ONNX files, each behind the same call."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime


class Network(Protocol):
    """A loaded ONNX file.

    Attributes:
        properties (dict[str, str]): Its metadata.
        inputs (dict[str, list]): Shape of each input; a size that is free is a string
            or None.
        outputs (dict[str, list]): The same of each output.
    """

    properties: dict[str, str]
    inputs: dict[str, list]
    outputs: dict[str, list]

    def __call__(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        """Runs it on its only input and returns the outputs by name."""


class OnnxRuntimeNetwork:
    """A network in ONNX Runtime.

    Args:
        path (str | Path): Of the ONNX file.
        providers (Sequence[str | tuple], optional): Execution providers, as ONNX
            Runtime takes them. The CPU by default.
        threads (int, optional): For one run. One for each core by default.
        optimize (bool): Whether to look for a faster graph, which is to be run.

    Raises:
        ValueError: If the file cannot be loaded or a provider is not there. One line.
    """

    def __init__(
        self,
        path: str | Path,
        providers: Sequence[str | tuple[str, dict]] | None = None,
        threads: int | None = None,
        optimize: bool = True,
    ):
        providers = list(providers or ['CPUExecutionProvider'])
        names = [one if isinstance(one, str) else one[0] for one in providers]
        available = onnxruntime.get_available_providers()
        for name in names:
            if name not in available:
                raise ValueError(
                    f'ONNX Runtime has no {name} here, it has {", ".join(available)}: '
                    'choose one of these, or install the onnxruntime package with it'
                )
        if not Path(path).is_file():
            raise ValueError(f'"{path}" is no file: export one by tools/export_onnx.py')
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.log_severity_level = 3
        if not optimize:
            level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            options.graph_optimization_level = level
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=providers
            )
        except Exception as error:  # of many types, none of them public
            why = ' '.join(str(error).split())
            raise ValueError(
                f'"{path}" is no ONNX file that ONNX Runtime can load: {why}'
            ) from error
        if names[0] not in self._session.get_providers():
            raise ValueError(
                f'ONNX Runtime cannot start {names[0]} here: are its libraries '
                'installed, in the versions that it was built for?'
            )
        self.properties = self._session.get_modelmeta().custom_metadata_map
        self.inputs = {one.name: one.shape for one in self._session.get_inputs()}
        self.outputs = {one.name: one.shape for one in self._session.get_outputs()}

    def __call__(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        """Runs the network.

        Args:
            batch (np.ndarray): Its only input.

        Returns:
            dict[str, np.ndarray]: Its outputs.
        """
        found = self._session.run(None, {next(iter(self.inputs)): batch})
        return dict(zip(self.outputs, found, strict=True))


class OpenVinoNetwork:
    """A network in OpenVINO, on the CPU.

    Where the CPU has bfloat16 instructions, OpenVINO computes in bfloat16.

    Args:
        path (str | Path): Of the ONNX file.
        threads (int, optional): For one run. OpenVINO's choice by default.

    Raises:
        ValueError: If the file cannot be loaded or OpenVINO is not there. One line.
    """

    def __init__(self, path: str | Path, threads: int | None = None):
        if find_spec('openvino') is None:
            raise ValueError('OpenVINO is not installed: `pip install openvino`')
        import openvino

        # Reads the metadata, and refuses files, in the same words.
        plain = OnnxRuntimeNetwork(path, threads=1, optimize=False)
        self.properties, self.inputs = plain.properties, plain.inputs
        self.outputs = plain.outputs
        settings: dict[str, Any] = {'PERFORMANCE_HINT': 'LATENCY'}
        if threads:
            settings['INFERENCE_NUM_THREADS'] = threads
        try:
            self._network = openvino.Core().compile_model(str(path), 'CPU', settings)
        except RuntimeError as error:
            why = ' '.join(str(error).split())
            raise ValueError(f'OpenVINO cannot load "{path}": {why}') from error

    def __call__(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        """Runs the network.

        Args:
            batch (np.ndarray): Its only input.

        Returns:
            dict[str, np.ndarray]: Its outputs.
        """
        # A request of its own: the network's own one is not for several threads.
        request = self._network.create_infer_request()
        found = request.infer([batch])
        return {name: found[name] for name in self.outputs}


def load_network(
    path: str | Path,
    backend: str = 'onnxruntime',
    providers: Sequence[str | tuple[str, dict]] | None = None,
    threads: int | None = None,
) -> Network:
    """Loads an ONNX file into a runtime.

    Args:
        path (str | Path): Of the file.
        backend (str): ``'onnxruntime'`` or ``'openvino'``.
        providers (Sequence[str | tuple], optional): Of ONNX Runtime.
        threads (int, optional): For one run.

    Returns:
        Network: Ready to be called.

    Raises:
        ValueError: If the file, the runtime or a provider cannot be used. One line.
    """
    if threads is not None and threads < 1:
        raise ValueError(f'threads must be at least 1, got {threads}')
    if backend == 'onnxruntime':
        return OnnxRuntimeNetwork(path, providers, threads)
    if backend != 'openvino':
        raise ValueError(f'backend must be onnxruntime or openvino, got "{backend}"')
    if providers:
        raise ValueError('providers are those of ONNX Runtime: OpenVINO takes none')
    return OpenVinoNetwork(path, threads)
