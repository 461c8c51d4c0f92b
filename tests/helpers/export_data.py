"""Small networks with random weights, and readers of exported files."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
import torch
from mmengine.config import Config
from mmpose.registry import MODELS
from torch import nn

from fpd_mmpose.deploy import ModelInfo
from fpd_mmpose.weights.initialization import load_model


class Student(NamedTuple):
    config: Config
    checkpoint: str
    model: nn.Module


def built(config: Config, checkpoint: Path) -> Student:
    """Builds a network with random weights, in which no batch norm is an identity."""
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for value in (layer.weight, layer.bias, layer.running_mean):
                nn.init.normal_(value, std=0.3)
            nn.init.uniform_(layer.running_var, 0.5, 2)
            layer.weight.data.add_(1)
    torch.save(dict(state_dict=model.state_dict()), checkpoint)
    return Student(config, str(checkpoint), load_model(config, str(checkpoint)))


def run(path: Path, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Returns the outputs of a file with one input by name."""
    session = onnxruntime.InferenceSession(str(path))
    return _run(session, {session.get_inputs()[0].name: inputs})


def run_all(path: Path, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the outputs of a file by name."""
    return _run(onnxruntime.InferenceSession(str(path)), inputs)


def _run(session: onnxruntime.InferenceSession, inputs: dict) -> dict[str, np.ndarray]:
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs), strict=True))


def described(path: Path) -> ModelInfo:
    """Reads the description of a file."""
    found = {one.key: one.value for one in onnx.load(str(path)).metadata_props}
    return ModelInfo.from_metadata(found, str(path))


def kinds(path: Path) -> Counter:
    """Counts the nodes of a file by operator."""
    return Counter(node.op_type for node in onnx.load(str(path)).graph.node)
