"""Makes a person's box larger or smaller."""

from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from fpd_mmpose.errors import UserError


@TRANSFORMS.register_module()
class RescaleBox(BaseTransform):
    """Multiplies the size of the box and keeps its center.

    Required Keys: ``bbox_scale``. Modified Keys: ``bbox_scale``.

    Args:
        factor: The factor for the width and the height.

    Raises:
        UserError: If the factor is not positive.
    """

    def __init__(self, factor: float) -> None:
        if not factor > 0:
            raise UserError(f'RescaleBox needs a positive factor, got {factor}')
        self.factor = factor

    def transform(self, results: dict) -> dict:
        """Multiplies ``bbox_scale``, (n, 2) in pixels."""
        results['bbox_scale'] = results['bbox_scale'] * self.factor
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(factor={self.factor})'
