"""Inference with exported networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from fpd_mmpose.decoding import DECODERS
from fpd_mmpose.deploy.model_info import ModelInfo, decode_maps
from fpd_mmpose.deploy.runtimes import OnnxRuntimeNetwork, load_network
from fpd_mmpose.errors import UserError
from fpd_mmpose.geometry import (
    WARPS,
    box_center_scale,
    crop_box,
    fit_aspect_ratio,
    reference_crop,
    reference_warp,
    to_image,
)
from fpd_mmpose.inputs import check_boxes, check_image, read_image


@dataclass(frozen=True)
class Poses:
    """The keypoints of N people in an image.

    Attributes:
        keypoints: In pixels of the image, float32 (N, K, 2).
        scores: As the codec computes them, usually maxima of the heatmaps, float32
            (N, K); they can exceed 1.
        boxes: The given boxes as x1, y1, x2, y2, float32 (N, 4).

    Example:
        >>> import numpy as np
        >>> from fpd_mmpose.deploy import Poses
        >>> poses = Poses(
        ...     keypoints=np.zeros((2, 16, 2), np.float32),
        ...     scores=np.ones((2, 16), np.float32),
        ...     boxes=np.float32([[0, 0, 50, 99], [50, 0, 99, 99]]))
        >>> len(poses)
        2
    """

    keypoints: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray

    def __len__(self) -> int:
        return len(self.keypoints)


class PoseSession:
    """Finds the keypoints of people with a network from ``tools/export_onnx.py``.

    The results are those of MMPose for the same checkpoint, without PyTorch and MMPose.
    Several threads may call the same session.

    Args:
        path: The ONNX file.
        providers: Execution providers of ONNX Runtime, such as
            ``['CUDAExecutionProvider']``. Defaults to the CPU.
        threads: CPU threads of one run. Defaults to the number of cores.
        batch_size: The most people per run, which bounds the memory. On a CPU, larger
            batches are slower per person, as feature maps no longer fit into the
            caches. A GPU needs more.
        backend: ``'onnxruntime'``, or ``'openvino'`` if it is installed.

    Attributes:
        info: The description of the network, a :class:`ModelInfo`.

    Raises:
        UserError: If the file is not an exported network, or cannot run here.

    Example:
        >>> import tempfile
        >>> import numpy as np, onnx
        >>> from onnx import TensorProto, helper
        >>> from fpd_mmpose.deploy import ModelInfo, PoseSession
        >>> # A stand-in for a trained network: the heatmaps are the channels.
        >>> sizes = ['batch', 3, 64, 64]
        >>> graph = helper.make_graph(
        ...     [helper.make_node('Identity', ['input'], ['heatmaps'])], 'channels',
        ...     [helper.make_tensor_value_info('input', TensorProto.FLOAT, sizes)],
        ...     [helper.make_tensor_value_info('heatmaps', TensorProto.FLOAT, sizes)])
        >>> model = helper.make_model(
        ...     graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
        >>> info = ModelInfo(
        ...     joints=('left_hand', 'right_hand', 'head'), links=((0, 2), (1, 2)),
        ...     flip_indices=(1, 0, 2), input_size=(64, 64), heatmap_size=(64, 64),
        ...     channel_order='bgr', mean=(0, 0, 0), std=(255, 255, 255), padding=1)
        >>> helper.set_model_props(model, info.to_metadata())
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     onnx.save(model, f'{folder}/student.onnx')
        ...     session = PoseSession(f'{folder}/student.onnx')
        >>> image = np.zeros((64, 64, 3), np.uint8)
        >>> image[40, 30, 2] = 255
        >>> session(image, boxes=[[0, 0, 64, 64]]).keypoints[0, 2].tolist()
        [30.0, 40.0]
    """

    def __init__(
        self,
        path: str | Path,
        providers: Sequence[str | tuple[str, dict]] | None = None,
        threads: int | None = None,
        batch_size: int = 8,
        backend: str = 'onnxruntime',
    ) -> None:
        if batch_size < 1:
            raise UserError(f'`batch_size` must be at least 1, got {batch_size}')
        self._path = path
        self._network = load_network(path, backend, providers, threads)
        self.info = ModelInfo.from_metadata(self._network.properties, str(path))
        _check_file(self.info, self._network, path)
        self._batch_size = batch_size
        self._warp = WARPS[self.info.crop]
        is_reference = self._warp is reference_warp
        self._crop_one = reference_crop if is_reference else crop_box
        # The normalized value of each gray level, (256,) for each channel.
        levels = np.arange(256, dtype=np.float32)
        self._levels = [
            (levels - np.float32(mean)) / np.float32(std)
            for mean, std in zip(self.info.mean, self.info.std, strict=True)
        ]

    def __call__(
        self, image: np.ndarray | str | Path, boxes: np.ndarray | list | None = None
    ) -> Poses:
        """Finds the keypoints of people.

        Args:
            image: A file, or uint8 BGR (H, W, 3).
            boxes: x1, y1, x2, y2 of each person in pixels, (N, 4); they may extend
                beyond the image, and an empty list stands for no people. Defaults to
                the whole image.

        Returns:
            The people in the order of their boxes.

        Raises:
            UserError: If the image cannot be read, or a box cannot be cropped.
        """
        if isinstance(image, str | Path):
            image = read_image(image)
        # OpenCV would copy a view such as image[..., ::-1] slowly, and for each box.
        image = np.ascontiguousarray(check_image(image))
        checked = check_boxes(boxes, image.shape)
        # In the precision of the boxes, like MMPose: rounding them to float32 changes
        # single pixels of a crop, and now and then a keypoint.
        exact = checked if boxes is None else np.reshape(boxes, checked.shape)
        if exact.dtype != np.float32:
            exact = exact.astype(np.float64)
        center, scale = box_center_scale(exact, self.info.padding)
        scale = fit_aspect_ratio(scale, self.info.input_size)
        joints = len(self.info.joints)
        keypoints = np.zeros((len(checked), joints, 2), np.float32)
        scores = np.zeros((len(checked), joints), np.float32)
        for first in range(0, len(checked), self._batch_size):
            part = slice(first, first + self._batch_size)
            batch = self._crop(image, center[part], scale[part])
            found = self._network(batch)
            for name, shape in self.info.outputs.items():
                if found[name].shape != (len(batch), *shape):
                    raise UserError(
                        f'"{self._path}" computes {name} of shape {found[name].shape} '
                        f'for {len(batch)} people: export the checkpoint again'
                    )
            if self.info.decoded:
                decoded = found['keypoints'], found['scores']
            else:
                decoded = decode_maps(
                    self.info, *(found[name] for name in self.info.maps)
                )
            keypoints[part], scores[part] = decoded
        if not (np.isfinite(keypoints).all() and np.isfinite(scores).all()):
            raise UserError(
                f'"{self._path}" computes NaN or infinity: export the checkpoint '
                'again, in fp32 if this was fp16'
            )
        keypoints = to_image(keypoints, center, scale, self.info.input_size)
        return Poses(keypoints, scores, checked)

    def _crop(
        self, image: np.ndarray, center: np.ndarray, scale: np.ndarray
    ) -> np.ndarray:
        """Makes the input of the network from n boxes, given as (n, 2) each."""
        width, height = size = self.info.input_size
        crops = np.empty((len(center), height, width, 3), np.uint8)
        for box, crop in zip(zip(center, scale, strict=True), crops, strict=True):
            self._crop_one(image, self._warp(*box, 0.0, size), size, crop)
        if self.info.image_order is not None:
            if self.info.image_order == 'rgb':
                for crop in crops:
                    cv2.cvtColor(crop, cv2.COLOR_BGR2RGB, crop)
            return crops
        channels = (0, 1, 2) if self.info.channel_order == 'bgr' else (2, 1, 0)
        batch = np.empty((len(center), 3, height, width), np.float32)
        for crop, planes in zip(crops, batch, strict=True):
            for channel, plane, levels in zip(
                channels, planes, self._levels, strict=True
            ):
                cv2.LUT(cv2.extractChannel(crop, channel), levels, plane)
        return batch


def _check_file(info: ModelInfo, network: OnnxRuntimeNetwork, path: str | Path) -> None:
    """Raises an error for a file that this release cannot run."""
    for kind, name, known in (
        ('codec', info.codec, DECODERS),
        ('crop', info.crop, WARPS),
        ('image order', info.image_order, ('bgr', 'rgb', None)),
        ('channel order', info.channel_order, ('bgr', 'rgb')),
    ):
        if name not in known:
            raise UserError(
                f'"{path}" has the {kind} "{name}", and this release of fpd-mmpose '
                f'knows {", ".join(map(str, known))}: install the release that '
                'exported it'
            )
    width, height = info.input_size
    inputs: dict[str, tuple[int, ...]] = {'input': (3, height, width)}
    if info.image_order is not None:
        inputs = {'image': (height, width, 3)}
    for kind, expected, found in (
        ('input', inputs, network.inputs),
        ('output', info.outputs, network.outputs),
    ):
        if expected.keys() != found.keys() or any(
            len(found[name]) != 1 + len(shape)
            or any(
                isinstance(size, int) and size != wanted
                for size, wanted in zip(found[name][1:], shape, strict=True)
            )
            for name, shape in expected.items()
        ):
            shapes = {name: ('N', *shape) for name, shape in expected.items()}
            raise UserError(
                f'"{path}" has the {kind} {_as_text(found)}, but its metadata say '
                f'{_as_text(shapes)}: export the checkpoint again'
            )


def _as_text(shapes: Mapping[str, Sequence]) -> str:
    return ', '.join(
        f'{name} ({", ".join(map(str, shape))})' for name, shape in shapes.items()
    )
