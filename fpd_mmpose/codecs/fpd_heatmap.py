"""Heatmaps decoded as the reference decodes them."""

import numpy as np
from mmpose.codecs import MSRAHeatmap
from mmpose.registry import KEYPOINT_CODECS

from fpd_mmpose.decoding import decode_reference


@KEYPOINT_CODECS.register_module()
class FPDHeatmap(MSRAHeatmap):
    """``MSRAHeatmap`` with the decoding of the released FPD code.

    Targets are those of ``MSRAHeatmap(unbiased=False)`` bit for bit, in a fifth of its
    time: the Gaussian, which is the same for every joint, is computed once. Decoding
    differs at the border and in empty heatmaps (``inference.py`` of the released code):

    - A maximum is moved a quarter pixel towards its higher neighbours only if both
      ``1 < x < W - 1`` and ``1 < y < H - 1``; MMPose moves it along one axis where
      only one of them holds.
    - A heatmap without a positive value gives (0, 0); MMPose gives (-1, -1).

    Args:
        input_size (tuple[int, int]): Width and height of the network's input.
        heatmap_size (tuple[int, int]): Width and height of the heatmaps.
        sigma (float): Standard deviation of the target in heatmap pixels.
    """

    def __init__(
        self,
        input_size: tuple[int, int],
        heatmap_size: tuple[int, int],
        sigma: float = 2.0,
    ):
        super().__init__(input_size, heatmap_size, sigma=sigma)
        radius = sigma * 3
        steps = np.arange(0, 2 * radius + 1, 1, dtype=np.float32)
        squares = (steps - (2 * radius + 1) // 2) ** 2
        self._gaussian = np.exp(-(squares + squares[:, None]) / (2 * sigma**2))

    def encode(
        self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None
    ) -> dict:
        """Draws the target of each joint.

        Args:
            keypoints (np.ndarray): In input pixels, (1, K, 2).
            keypoints_visible (np.ndarray, optional): Joints below 0.5 get an empty
                target, (1, K). Defaults to ones.

        Returns:
            dict: ``heatmaps``, float32 (K, H, W), and ``keypoint_weights`` (1, K):
            ``keypoints_visible``, and 0 where a target is outside of its heatmap.

        Raises:
            ValueError: If there is not one person.
        """
        if len(keypoints) != 1:
            raise ValueError(f'FPDHeatmap encodes one person, got {len(keypoints)}')
        if keypoints_visible is None:
            keypoints_visible = np.ones(keypoints.shape[:2], dtype=np.float32)
        width, height = self.heatmap_size
        radius = self.sigma * 3
        weights = keypoints_visible.copy()
        heatmaps = np.zeros((keypoints.shape[1], height, width), dtype=np.float32)
        # As MMPose rounds: towards zero at each step.
        middle = (keypoints[0, :, :2] / self.scale_factor + 0.5).astype(np.int64)
        first = (middle - radius).astype(np.int64)
        last = (middle + radius + 1).astype(np.int64)
        outside = (first >= (width, height)).any(axis=1) | (last < 0).any(axis=1)
        labelled = ~(keypoints_visible[0] < 0.5)
        weights[0, labelled & outside] = 0
        drawn = np.flatnonzero(labelled & ~outside)
        for k, (x, y), (right, bottom) in zip(
            drawn, first[drawn].tolist(), last[drawn].tolist(), strict=True
        ):
            left, top = max(x, 0), max(y, 0)
            target = heatmaps[k, top:bottom, left:right]
            rows, columns = target.shape
            target[:] = self._gaussian[top - y :, left - x :][:rows, :columns]
        return dict(heatmaps=heatmaps, keypoint_weights=weights)

    def decode(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Finds the joints in heatmaps.

        Args:
            encoded (np.ndarray): Heatmaps, (K, H, W).

        Returns:
            tuple[np.ndarray, np.ndarray]: Keypoints in input pixels, (1, K, 2), and
            the maxima of the heatmaps, (1, K).
        """
        keypoints, scores = decode_reference(encoded)
        return keypoints[None] * self.scale_factor, scores[None]
