"""Measures the memory of a process that only runs one network.

The process runs this file, which imports PyTorch for engine ``eager`` alone.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def measure_memory(
    engine: str, source: Sequence[str], crops: str | Path, batches: Sequence[int]
) -> dict[int, int]:
    """Returns the highest resident memory in bytes, up to each batch.

    ``source`` is the config and, optionally, the checkpoint for ``eager``, and an ONNX
    file for ``onnxruntime`` and ``openvino``; ``crops`` is a NumPy file.
    """
    from fpd_mmpose.errors import UserError  # not for the process that is measured

    order = sorted(batches)
    request = json.dumps([engine, list(source), str(crops), order])
    child = subprocess.run(
        [sys.executable, __file__, request], capture_output=True, encoding='utf-8'
    )
    if child.returncode:
        reason = (child.stderr.strip().splitlines() or ['it was killed'])[-1]
        raise UserError(f'the process that measures memory failed: {reason}')
    peaks = json.loads(child.stdout.splitlines()[-1])
    return dict(zip(order, peaks, strict=True))


def _child(engine: str, source: list[str], crops: str, batches: list[int]) -> list[int]:
    import numpy as np

    run = _LOADERS[engine](*source)
    images = np.load(crops)
    peaks = []
    for batch in batches:
        run(images[:batch])
        peaks.append(_peak())
    return peaks


def _peak() -> int:
    # getrusage would start at the size of the parent process.
    status = Path('/proc/self/status').read_text(encoding='utf-8')
    return int(re.search(r'VmHWM:\s*(\d+) kB', status)[1]) * 1024


def _eager(config: str, checkpoint: str | None = None) -> Callable[[Any], object]:
    from benchmarks.inference_networks import build_network

    return build_network('network', config, checkpoint).run


def _onnxruntime(path: str) -> Callable[[Any], object]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    name = session.get_inputs()[0].name
    return lambda images: session.run(None, {name: images})


def _openvino(path: str) -> Callable[[Any], object]:
    import openvino

    return openvino.Core().compile_model(path, 'CPU')


_LOADERS = dict(eager=_eager, onnxruntime=_onnxruntime, openvino=_openvino)

if __name__ == '__main__':
    # Instead of this folder, whose modules belong to a package.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    print(json.dumps(_child(*json.loads(sys.argv[1]))))
