"""What is tried with a network of each kind."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmpose.apis import inference_topdown
from mmpose.codecs import SimCCLabel
from mmpose.registry import MODELS
from torch import Tensor, nn

from fpd_mmpose import PoseSession, UserError, cache_teacher, load_model
from fpd_mmpose.export.onnx_export import export_model
from matrix.kinds import one_line, without_folders
from matrix.people import BOXES, batch, image_of

#: What a try found: it works, the project says why it does not, or it breaks.
WORKS, REFUSED, BREAKS = 'works', 'refused', 'breaks'
#: How far the two computations of a loss may be apart, relative to its value.
TOLERANCE = 1e-5
#: Image pixels by which a keypoint of an exported network may be off, and the share of
#: keypoints for which that must hold: without training, maxima are nearly level.
PIXELS, SHARE = 0.1, 0.75
#: Maps with a smaller range, as a share of their highest value, have no maximum.
FLAT = 1e-3


class Difference(AssertionError):
    """Something works, but not as it should."""


class Tries:
    """The tries with one config, whose data are drawn people in ``folder``.

    Teacher and student are the same network with different random weights.
    """

    def __init__(self, config: Config, folder: Path) -> None:
        self.config = config
        self.folder = folder
        self.weights = {
            name: str(folder / f'{name}.pth') for name in ('student', 'teacher')
        }

    def run(self, names: tuple[str, ...]) -> dict[str, tuple[str, str]]:
        """Tries each of the roles, and returns what was found, with the reason."""
        tries: dict[str, Callable[[], None]] = {
            'teacher': self.teacher,
            'student': self.student,
            'stored': self.stored,
            'export': self.export,
        }
        try:
            self._build_networks()
        except Exception as error:
            return dict.fromkeys(names, _judge(error))
        found = {}
        for name in names:
            try:
                tries[name]()
                found[name] = (WORKS, '')
            except Exception as error:
                found[name] = _judge(error)
        return found

    def teacher(self) -> None:
        """Prepares the network as a teacher; it must be frozen and unchanged."""
        model = self._distiller()
        model.teacher.prepare(model)
        network = model.teacher.model
        expected = self._plain('teacher').eval()
        inputs = self._batch(model)['inputs']
        with torch.no_grad():
            pairs = zip(
                _tensors(network(inputs, None)),
                _tensors(expected(inputs, None)),
                strict=True,
            )
        if not all(torch.allclose(a, b, atol=1e-5) for a, b in pairs):
            raise Difference('the teacher does not compute what its network computes')
        if any(parameter.requires_grad for parameter in network.parameters()):
            raise Difference('the teacher is not frozen')

    def student(self) -> None:
        """Does one step with a live teacher, and compares it with stock MMPose."""
        model, plain = self._distiller(), self._plain('student')
        if list(model.state_dict()) != list(plain.state_dict()):
            raise Difference("the keys of its weights are not the plain student's")
        model.load_state_dict(plain.state_dict())
        model.teacher.prepare(model)
        batch = self._batch(model)
        losses, stock = _losses(model, batch), _losses(plain, copy.deepcopy(batch))
        expected = sum(_of_loss(stock))
        difference = abs(float(losses['pose'] - expected))
        if not difference <= TOLERANCE * abs(float(expected)):
            raise Difference(
                f'the logged pose is {float(losses["pose"]):.6g}, and stock '
                f"MMPose's loss {float(expected):.6g}"
            )
        _step(model, losses)
        expected.backward()
        if _taught(model) != _taught(plain):
            raise Difference('other parameters have gradients than in stock MMPose')
        network = model.teacher.model
        if any(parameter.grad is not None for parameter in network.parameters()):
            raise Difference('gradients reach the teacher')

    def stored(self) -> None:
        """Stores the outputs of the teacher, and does a step with them."""
        path = str(self.folder / 'teacher.sqlite')
        teacher = self._teacher()
        config = copy.deepcopy(self.config)
        config.model = self._distiller_settings(teacher)
        cache_teacher(config, path, zooms=(1.0,), device='cpu', batch_size=2)
        model = MODELS.build(self._distiller_settings(dict(teacher, cache=path)))
        model.teacher.prepare(model)
        _step(model, _losses(model, self._batch(model)))

    def export(self) -> None:
        """Exports the network, and compares its keypoints with MMPose's."""
        model = load_model(self.config, self.weights['student'])
        flat = _raise_peaks(model, self._batch(model)['inputs']) < FLAT
        path = self.folder / 'student.onnx'
        export_model(model, path)
        if flat:  # export_model has compared the maps, and the decoding of clear peaks
            return
        model.test_cfg['flip_test'] = False
        boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in BOXES])
        image = image_of(self.folder)
        expected = _keypoints(model, image, boxes)
        with torch.backends.mkldnn.flags(enabled=False):
            rounded = _keypoints(model, image, boxes)
        found = PoseSession(path)(image, boxes).keypoints
        # Without training, maxima can hang on the last bits: in MMPose, too.
        clear = np.linalg.norm(expected - rounded, axis=-1) <= PIXELS / 10
        near = np.linalg.norm(expected - found, axis=-1) <= PIXELS
        if clear.any() and near[clear].mean() < SHARE:
            raise Difference(
                f'{(~near[clear]).sum()} of {clear.sum()} keypoints of the exported '
                "network differ from MMPose's"
            )

    def _build_networks(self) -> None:
        """Writes random weights of the student and of the teacher."""
        for seed, path in enumerate(self.weights.values()):
            torch.manual_seed(seed)
            torch.save(MODELS.build(self.config.model).state_dict(), path)

    def _plain(self, name: str) -> nn.Module:
        model = MODELS.build(self.config.model)
        model.load_state_dict(torch.load(self.weights[name], weights_only=True))
        return model

    def _teacher(self) -> dict[str, Any]:
        config = dict(
            model=self.config.model.to_dict(),
            train_dataloader=self.config.train_dataloader.to_dict(),
        )
        return dict(config=config, checkpoint=self.weights['teacher'])

    def _distiller_settings(self, teacher: dict[str, Any]) -> dict[str, Any]:
        metainfo = self.config.train_dataloader.dataset.metainfo.to_dict()
        return {
            **self.config.model.to_dict(),
            'type': 'FPDDistiller',
            'teacher': teacher,
            'metainfo': metainfo,
        }

    def _distiller(self) -> nn.Module:
        return MODELS.build(self._distiller_settings(self._teacher()))

    def _batch(self, model: nn.Module) -> dict[str, Any]:
        return model.data_preprocessor(batch(self.config), training=True)


def _raise_peaks(model: nn.Module, inputs: Tensor) -> float:
    """Scales heatmaps to peaks of about 1: MMPose clips lower ones before decoding.

    Returns the share of a map's highest value that its range has, in the median.
    """
    head = getattr(model.head, 'pose_head', model.head)
    final = getattr(head, 'final_layer', None)
    layers = [] if final is None else list(final.modules())
    layers = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    if isinstance(head.decoder, SimCCLabel) or not layers:
        return 1.0
    with torch.no_grad():
        maps = [one for one in _tensors(model(inputs, None)) if one.ndim == 4]
        peak = max(one.abs().max() for one in maps)
        layers[-1].weight /= peak
        if layers[-1].bias is not None:
            layers[-1].bias /= peak
        ranges = maps[-1].amax((2, 3)) - maps[-1].amin((2, 3))
        return float((ranges / maps[-1].abs().amax((2, 3))).median())


def _keypoints(model: nn.Module, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Finds keypoints (N, K, 2) with MMPose."""
    samples = inference_topdown(model, image, boxes)
    return np.concatenate([sample.pred_instances.keypoints for sample in samples])


def _losses(model: nn.Module, batch: dict[str, Any]) -> dict[str, Any]:
    torch.manual_seed(0)  # of dropout
    return model.train().loss(**batch)


def _of_loss(losses: dict[str, Any]) -> list[Tensor]:
    """Lists the terms that mmengine adds up."""
    found = [value for name, value in losses.items() if 'loss' in name]
    return [sum(value) if isinstance(value, list) else value.mean() for value in found]


def _step(model: nn.Module, losses: dict[str, Any]) -> None:
    if not (torch.isfinite(losses['kd']) and losses['kd'] > 0):
        raise Difference(f'the logged kd is {float(losses["kd"])}')
    sum(_of_loss(losses)).backward()


def _taught(model: nn.Module) -> set[str]:
    parameters = model.named_parameters()
    return {name for name, each in parameters if each.grad is not None}


def _tensors(output: Any) -> list[Tensor]:
    """Flattens the stages and the axes of an output."""
    if isinstance(output, Tensor):
        return [output]
    return [tensor for each in output for tensor in _tensors(each)]


def _judge(error: Exception) -> tuple[str, str]:
    # An operator of compiled MMCV is refused by name, too.
    refused = isinstance(error, UserError) or 'needs compiled MMCV' in str(error)
    if refused:
        return REFUSED, without_folders(str(error).splitlines()[0])
    return BREAKS, one_line(error)
