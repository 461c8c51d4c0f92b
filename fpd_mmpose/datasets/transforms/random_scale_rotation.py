"""The reference's random scale and rotation of a person's box."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmpose.registry import TRANSFORMS

from fpd_mmpose.errors import UserError


@TRANSFORMS.register_module()
class RandomScaleRotation(BaseTransform):
    """Scales and rotates the box by clipped normal draws.

    As in the reference (``JointsDataset.py``), the factor is
    ``clip(N(0, 1) * s + 1, 1 - s, 1 + s)`` and the angle is
    ``clip(N(0, 1) * r, -2r, 2r)``. MMPose's ``RandomBBoxTransform`` draws truncated
    normals of another spread. The box is not shifted.

    Required Keys: ``bbox_scale``. Modified Keys: ``bbox_scale``. Added Keys:
    ``bbox_rotation`` in degrees.

    Args:
        scale_factor: s, in [0, 1). The default is for MPII.
        rotation_factor: r, in degrees. The default is for MPII.
        prob: The probability of a rotation; every box is scaled.

    Raises:
        UserError: If an argument is out of range.

    Example:
        >>> import numpy as np
        >>> from fpd_mmpose.datasets import RandomScaleRotation
        >>> results = dict(bbox_scale=np.full((1000, 2), 100.0))
        >>> results = RandomScaleRotation(scale_factor=0.25)(results)
        >>> float(results['bbox_scale'].min()), float(results['bbox_scale'].max())
        (75.0, 125.0)
        >>> results['bbox_rotation'].shape
        (1000,)
    """

    def __init__(
        self,
        scale_factor: float = 0.25,
        rotation_factor: float = 30.0,
        prob: float = 0.6,
    ) -> None:
        if not 0 <= scale_factor < 1:
            raise UserError(f'scale_factor must be in [0, 1), got {scale_factor}')
        if rotation_factor < 0:
            raise UserError(f'rotation_factor must be >= 0, got {rotation_factor}')
        if not 0 <= prob <= 1:
            raise UserError(f'prob must be in [0, 1], got {prob}')
        self.scale_factor = scale_factor
        self.rotation_factor = rotation_factor
        self.prob = prob

    @cache_randomness
    def _draw(self, num_boxes: int) -> tuple[np.ndarray, np.ndarray]:
        spread = self.scale_factor
        scale = np.random.randn(num_boxes, 1) * spread + 1
        angle = np.random.randn(num_boxes) * self.rotation_factor
        limit = 2 * self.rotation_factor
        rotates = np.random.rand(num_boxes) <= self.prob
        return (
            np.clip(scale, 1 - spread, 1 + spread),
            np.where(rotates, np.clip(angle, -limit, limit), 0.0),
        )

    def transform(self, results: dict) -> dict:
        """Draws a scale and an angle for each box, (n, 2) in pixels."""
        scale, rotation = self._draw(len(results['bbox_scale']))
        results['bbox_scale'] = results['bbox_scale'] * scale
        results['bbox_rotation'] = rotation
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(scale_factor={self.scale_factor}, '
            f'rotation_factor={self.rotation_factor}, prob={self.prob})'
        )
