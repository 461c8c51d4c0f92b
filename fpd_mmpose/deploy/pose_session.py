"""An exported network, from an image and boxes to keypoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from fpd_mmpose.decoding import DECODERS
from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.deploy.runtimes import Network, load_network
from fpd_mmpose.geometry import (
    WARPS,
    box_center_scale,
    crop_box,
    fit_aspect_ratio,
    to_image,
)
from fpd_mmpose.inputs import check_boxes, check_image, read_image


@dataclass(frozen=True)
class Poses:
    """The people of an image.

    Attributes:
        keypoints (np.ndarray): In pixels of the image, float32 (N, K, 2).
        scores (np.ndarray): Of each keypoint, float32 (N, K): the maximum of its
            heatmap, which is not bounded by 0 and 1.
        boxes (np.ndarray): ``x1, y1, x2, y2``, as given, float32 (N, 4).
    """

    keypoints: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray

    def __len__(self) -> int:
        return len(self.keypoints)


class PoseSession:
    """Runs a network that tools/export_onnx.py has written.

    It gives the keypoints that MMPose gives for the same checkpoint, and needs NumPy,
    OpenCV and ONNX Runtime alone. All people of an image are one batch. It may be
    called from several threads.

    Args:
        path (str | Path): Of the ONNX file.
        providers (Sequence[str | tuple], optional): Execution providers of ONNX
            Runtime, such as ``['CUDAExecutionProvider']``. The CPU by default.
        threads (int, optional): For one run of the network. One for each core by
            default.
        batch_size (int): Most people that the network gets at once, which bounds the
            memory. Defaults to 8: on a CPU, larger batches take longer for each person,
            as their feature maps leave the cache. A GPU wants more.
        backend (str): ``'onnxruntime'``, or ``'openvino'`` where it is installed.

    Attributes:
        info (ModelInfo): What the file says of itself.

    Raises:
        ValueError: If the file is no exported network, or cannot be run here. One
            line.
    """

    def __init__(
        self,
        path: str | Path,
        providers: Sequence[str | tuple[str, dict]] | None = None,
        threads: int | None = None,
        batch_size: int = 8,
        backend: str = 'onnxruntime',
    ):
        if batch_size < 1:
            raise ValueError(f'batch_size must be at least 1, got {batch_size}')
        self._network = load_network(path, backend, providers, threads)
        self.info = ModelInfo.from_metadata(self._network.properties, str(path))
        _check_file(self.info, self._network, path)
        self._batch_size = batch_size
        self._warp = WARPS[self.info.crop]
        self._decode = DECODERS[self.info.codec]
        levels = np.arange(256, dtype=np.float32)
        self._levels = [  # what each grey level of a channel becomes, (256,)
            (levels - mean) / std
            for mean, std in np.float32([self.info.mean, self.info.std]).T
        ]

    def __call__(
        self,
        image: np.ndarray | str | Path,
        boxes: np.ndarray | list | None = None,
    ) -> Poses:
        """Finds the keypoints of people.

        Args:
            image (np.ndarray | str | Path): BGR, uint8 (H, W, 3), or a file.
            boxes (np.ndarray | list, optional): ``x1, y1, x2, y2`` of each person in
                pixels, (N, 4); they may reach beyond the image. An empty list is an
                image without people. The whole image by default.

        Returns:
            Poses: One of each box, in their order.

        Raises:
            ValueError: If the image or a box cannot be used. One line.
        """
        if isinstance(image, str | Path):
            image = read_image(image)
        # OpenCV copies a view such as image[..., ::-1] slowly, and for each box.
        image = np.ascontiguousarray(check_image(image))
        checked = check_boxes(boxes, image.shape)
        # As MMPose, in the precision of the boxes: rounding them to float32 changes
        # single pixels of a crop, and now and then a joint.
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
            keypoints[part], scores[part] = self._read(self._network(batch))
        keypoints = to_image(keypoints, center, scale, self.info.input_size)
        return Poses(keypoints, scores, checked)

    def _crop(
        self, image: np.ndarray, center: np.ndarray, scale: np.ndarray
    ) -> np.ndarray:
        """Makes the network's input for boxes (n, 2) of an image."""
        width, height = size = self.info.input_size
        crops = np.empty((len(center), height, width, 3), np.uint8)
        for box, crop in zip(zip(center, scale, strict=True), crops, strict=True):
            crop_box(image, self._warp(*box, 0.0, size), size, crop)
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

    def _read(self, outputs: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Gives keypoints (n, K, 2) in pixels of the crops, and scores (n, K)."""
        if self.info.decoded:
            return outputs['keypoints'], outputs['scores']
        keypoints, scores = self._decode(outputs['heatmaps'])
        factor = np.divide(self.info.input_size, self.info.heatmap_size)
        return keypoints * factor.astype(np.float32), scores


def _check_file(info: ModelInfo, network: Network, path: str | Path) -> None:
    """Refuses what this release cannot feed or read."""
    for kind, name, known in (
        ('codec', info.codec, DECODERS),
        ('crop', info.crop, WARPS),
        ('image order', info.image_order, ('bgr', 'rgb', None)),
        ('channel order', info.channel_order, ('bgr', 'rgb')),
    ):
        if name not in known:
            raise ValueError(
                f'"{path}" has the {kind} "{name}", this fpd-mmpose knows '
                f'{", ".join(map(str, known))}: install the release that exported it'
            )
    width, height = info.input_size
    joints = len(info.joints)
    if info.image_order is None:
        inputs = {'input': (3, height, width)}
    else:
        inputs = {'image': (height, width, 3)}
    if info.decoded:
        outputs = {'keypoints': (joints, 2), 'scores': (joints,)}
    else:
        outputs = {'heatmaps': (joints, *info.heatmap_size[::-1])}
    for kind, expected, found in (
        ('input', inputs, network.inputs),
        ('output', outputs, network.outputs),
    ):
        if expected.keys() != found.keys() or any(
            len(found[name]) != 1 + len(shape)
            or any(
                isinstance(size, int) and size != wanted
                for size, wanted in zip(found[name][1:], shape, strict=True)
            )
            for name, shape in expected.items()
        ):
            raise ValueError(
                f'"{path}" has the {kind} {_shapes(found)}, its metadata say '
                f'{_shapes({name: ["N", *shape] for name, shape in expected.items()})}'
                ': export the checkpoint again'
            )


def _shapes(named: dict[str, Sequence]) -> str:
    return ', '.join(
        f'{name} ({", ".join(map(str, shape))})' for name, shape in named.items()
    )
