"""Runtimes of ONNX files behind one interface."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from fpd_mmpose.deploy.graph_check import (
    check_graph,
    check_sizes,
    check_types,
    results,
    with_outputs,
)
from fpd_mmpose.errors import UserError

#: Of one run; more than any machine has.
MOST_THREADS = 1024


class OnnxRuntimeNetwork:
    """A network in ONNX Runtime; ``threads`` defaults to the number of cores.

    It has the file's metadata, and its shapes by name, in which a size that is not
    fixed is a string or None. ``optimize=False`` skips the search for a faster graph,
    for files that are not run. ``content`` defaults to that of the file.
    """

    properties: dict[str, str]
    inputs: dict[str, list]
    outputs: dict[str, list]

    def __init__(
        self,
        path: str | Path,
        providers: Sequence[str | tuple[str, dict]] | None = None,
        threads: int | None = None,
        optimize: bool = True,
        content: bytes | None = None,
    ) -> None:
        self._path = path
        providers = list(providers or ['CPUExecutionProvider'])
        names = [each if isinstance(each, str) else each[0] for each in providers]
        available = onnxruntime.get_available_providers()
        for name in names:
            if name not in available:
                raise UserError(
                    f'ONNX Runtime has no {name} here: install an onnxruntime package '
                    f'that has, or use {", ".join(available)}'
                )
        content = _read(path) if content is None else content
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.log_severity_level = 3
        if not optimize:
            level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            options.graph_optimization_level = level
        try:
            check_graph(content)
            _check_sizes(content)
            self._session = onnxruntime.InferenceSession(
                content, options, providers=providers
            )
        except Exception as error:  # of many types, none of them public
            reason = ' '.join(str(error).split())
            raise UserError(
                f'"{path}" is not an ONNX file that ONNX Runtime can load: {reason}'
            ) from error
        if names[0] not in self._session.get_providers():
            raise UserError(
                f'ONNX Runtime cannot start {names[0]}: install the versions of its '
                'libraries that this onnxruntime package was built for'
            )
        session = self._session
        try:
            self.properties = session.get_modelmeta().custom_metadata_map
            self.inputs = {each.name: each.shape for each in session.get_inputs()}
            self.outputs = {each.name: each.shape for each in session.get_outputs()}
        except UnicodeDecodeError as error:
            raise UserError(
                f'"{path}" has names or metadata that are not text'
            ) from error

    def __call__(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        """Computes the outputs, by name, from the only input."""
        try:
            found = self._session.run(None, {next(iter(self.inputs)): batch})
        except Exception as error:  # of many types, none of them public
            raise UserError(
                f'"{self._path}" cannot be run: {" ".join(str(error).split())}'
            ) from error
        return dict(zip(self.outputs, found, strict=True))


def _read(path: str | Path) -> bytes:
    """Reads a file once, so that what is checked is what is run."""
    if not Path(path).is_file():
        raise UserError(
            f'"{path}" is not a file: export a network with tools/export_onnx.py'
        )
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UserError(f'"{path}" cannot be read: {error.strerror}') from error


def _check_sizes(content: bytes) -> None:
    """Has ONNX Runtime infer the sizes of all results, of which it computes none."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.graph_optimization_level = level
    options.add_session_config_entry('session.disable_prepacking', '1')
    found = results(content)
    outputs = onnxruntime.InferenceSession(
        with_outputs(content, found), options, providers=['CPUExecutionProvider']
    ).get_outputs()
    check_types(each.type for each in outputs)
    shapes = {each.name.encode(): each.shape for each in outputs}
    check_sizes(shapes, found, len(content))


class OpenVinoNetwork(OnnxRuntimeNetwork):
    """A network in OpenVINO, on the CPU; ``threads`` defaults to OpenVINO's choice.

    Where the CPU has bfloat16 instructions, OpenVINO computes in bfloat16.
    """

    def __init__(self, path: str | Path, threads: int | None = None) -> None:
        if find_spec('openvino') is None:
            raise UserError('OpenVINO is not installed: run `pip install openvino`')
        import openvino

        # For the metadata, and for the same errors on invalid files.
        content = _read(path)
        super().__init__(path, threads=1, optimize=False, content=content)
        del self._session
        settings: dict[str, Any] = {'PERFORMANCE_HINT': 'LATENCY'}
        if threads:
            settings['INFERENCE_NUM_THREADS'] = threads
        try:
            core = openvino.Core()
            model = core.read_model(content)
            self._network = core.compile_model(model, 'CPU', settings)
        except RuntimeError as error:
            reason = ' '.join(str(error).split())
            raise UserError(f'OpenVINO cannot load "{path}": {reason}') from error

    def __call__(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        """Computes the outputs, by name, from the only input."""
        # A request per call, because threads cannot share the network's own.
        request = self._network.create_infer_request()
        found = request.infer([batch])
        return {name: found[name] for name in self.outputs}


def load_network(
    path: str | Path,
    backend: str = 'onnxruntime',
    providers: Sequence[str | tuple[str, dict]] | None = None,
    threads: int | None = None,
) -> OnnxRuntimeNetwork:
    """Loads an ONNX file into ``'onnxruntime'`` or ``'openvino'``."""
    if threads is not None and not 1 <= threads <= MOST_THREADS:
        raise UserError(f'`threads` must be from 1 to {MOST_THREADS}, got {threads}')
    if backend == 'onnxruntime':
        return OnnxRuntimeNetwork(path, providers, threads)
    if backend != 'openvino':
        raise UserError(f'`backend` must be onnxruntime or openvino, got "{backend}"')
    if providers:
        raise UserError('`providers` are for ONNX Runtime: leave them out for OpenVINO')
    return OpenVinoNetwork(path, threads)
