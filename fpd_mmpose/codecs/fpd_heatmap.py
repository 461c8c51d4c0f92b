"""Heatmaps decoded as the reference decodes them."""

import numpy as np
from mmpose.codecs import MSRAHeatmap
from mmpose.registry import KEYPOINT_CODECS


@KEYPOINT_CODECS.register_module()
class FPDHeatmap(MSRAHeatmap):
    """``MSRAHeatmap`` with the decoding of the released FPD code.

    Targets are those of ``MSRAHeatmap(unbiased=False)``. Decoding differs at the
    border and in empty heatmaps (``inference.py`` of the released code):

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

    def decode(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Finds the joints in heatmaps.

        Args:
            encoded (np.ndarray): Heatmaps, (K, H, W).

        Returns:
            tuple[np.ndarray, np.ndarray]: Keypoints in input pixels, (1, K, 2), and
            the maxima of the heatmaps, (1, K).
        """
        joints, height, width = encoded.shape
        flat = encoded.reshape(joints, -1)
        best = flat.argmax(axis=1)
        scores = flat[np.arange(joints), best]
        y, x = np.divmod(best, width)
        keypoints = np.stack([x, y], axis=1).astype(np.float32)
        keypoints[scores <= 0] = 0

        inner = (1 < x) & (x < width - 1) & (1 < y) & (y < height - 1) & (scores > 0)
        k, x, y = np.flatnonzero(inner), x[inner], y[inner]
        slope = np.stack(
            [
                encoded[k, y, x + 1] - encoded[k, y, x - 1],
                encoded[k, y + 1, x] - encoded[k, y - 1, x],
            ],
            axis=1,
        )
        keypoints[k] += np.sign(slope) * 0.25
        return keypoints[None] * self.scale_factor, scores[None]
