"""Makes a person's box larger or smaller."""

from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RescaleBox(BaseTransform):
    """Multiplies the box, about its centre.

    Required Keys: ``bbox_scale``. Modified Keys: ``bbox_scale``.

    Args:
        factor (float): What the width and the height are multiplied by.

    Raises:
        ValueError: If the factor is not positive.
    """

    def __init__(self, factor: float):
        if not factor > 0:
            raise ValueError(f'RescaleBox needs a positive factor, got {factor}')
        self.factor = factor

    def transform(self, results: dict) -> dict:
        """Multiplies the box.

        Args:
            results (dict): With ``bbox_scale``, (n, 2) in pixels.

        Returns:
            dict: The same, with the new ``bbox_scale``.
        """
        results['bbox_scale'] = results['bbox_scale'] * self.factor
        return results

    def __repr__(self) -> str:
        """Names the arguments."""
        return f'{type(self).__name__}(factor={self.factor})'
