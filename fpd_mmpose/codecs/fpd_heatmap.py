"""Heatmaps that are decoded as in the reference."""

import numpy as np
from mmpose.codecs import MSRAHeatmap
from mmpose.registry import KEYPOINT_CODECS

from fpd_mmpose.decoding import decode_reference


@KEYPOINT_CODECS.register_module()
class FPDHeatmap(MSRAHeatmap):
    """``MSRAHeatmap`` with the decoding of the reference (its ``inference.py``).

    Targets are those of ``MSRAHeatmap(unbiased=False)`` bit for bit, in a fifth of its
    time: the Gaussian, which all keypoints share, is computed once. Decoding differs at
    the border and for empty heatmaps:

    - A maximum is moved a quarter pixel toward its higher neighbors only if both
      ``1 < x < W - 1`` and ``1 < y < H - 1``. Stock MMPose moves it along one axis if
      only one of them holds.
    - A heatmap without a positive value is decoded to (0, 0), instead of (-1, -1).

    Args:
        input_size: Width and height of the network's input.
        heatmap_size: Width and height of the heatmaps.
        sigma: Standard deviation of the targets in heatmap pixels.

    Example:
        >>> import numpy as np
        >>> from fpd_mmpose.codecs import FPDHeatmap
        >>> codec = FPDHeatmap(input_size=(192, 256), heatmap_size=(48, 64))
        >>> targets = codec.encode(np.array([[[100.0, 50.0]]]))
        >>> targets['heatmaps'].shape
        (1, 64, 48)
        >>> keypoints, scores = codec.decode(targets['heatmaps'])
        >>> keypoints.tolist(), scores.tolist()
        ([[[100.0, 52.0]]], [[1.0]])
    """

    def __init__(
        self,
        input_size: tuple[int, int],
        heatmap_size: tuple[int, int],
        sigma: float = 2.0,
    ) -> None:
        super().__init__(input_size, heatmap_size, sigma=sigma)
        radius = sigma * 3
        steps = np.arange(0, 2 * radius + 1, 1, dtype=np.float32)
        squares = (steps - (2 * radius + 1) // 2) ** 2
        self._gaussian = np.exp(-(squares + squares[:, None]) / (2 * sigma**2))

    def encode(
        self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None
    ) -> dict:
        """Makes the target heatmap of each keypoint of one person.

        Args:
            keypoints: (1, K, 2) in input pixels.
            keypoints_visible: (1, K); keypoints below 0.5 get an empty target. Defaults
                to ones.

        Returns:
            ``heatmaps``, (K, H, W) float32, and ``keypoint_weights``, (1, K), which is
            ``keypoints_visible`` with 0 for targets outside of their heatmap.

        Raises:
            ValueError: If there is not exactly one person.
        """
        if len(keypoints) != 1:
            raise ValueError(f'FPDHeatmap encodes one person, got {len(keypoints)}')
        if keypoints_visible is None:
            keypoints_visible = np.ones(keypoints.shape[:2], dtype=np.float32)
        width, height = self.heatmap_size
        radius = self.sigma * 3
        weights = keypoints_visible.copy()
        heatmaps = np.zeros((keypoints.shape[1], height, width), dtype=np.float32)
        # Rounded as in MMPose: toward zero at each step.
        middle = (keypoints[0, :, :2] / self.scale_factor + 0.5).astype(np.int64)
        first = (middle - radius).astype(np.int64)
        last = (middle + radius + 1).astype(np.int64)
        outside = (first >= (width, height)).any(axis=1) | (last < 0).any(axis=1)
        labeled = ~(keypoints_visible[0] < 0.5)
        weights[0, labeled & outside] = 0
        drawn = np.flatnonzero(labeled & ~outside)
        for k, (x, y), (right, bottom) in zip(
            drawn, first[drawn].tolist(), last[drawn].tolist(), strict=True
        ):
            left, top = max(x, 0), max(y, 0)
            target = heatmaps[k, top:bottom, left:right]
            rows, columns = target.shape
            target[:] = self._gaussian[top - y :, left - x :][:rows, :columns]
        return dict(heatmaps=heatmaps, keypoint_weights=weights)

    def decode(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Finds the keypoints in heatmaps.

        Args:
            encoded: (K, H, W) heatmaps.

        Returns:
            The (1, K, 2) keypoints in input pixels, and the (1, K) maxima of the
            heatmaps.
        """
        keypoints, scores = decode_reference(encoded)
        return keypoints[None] * self.scale_factor, scores[None]
