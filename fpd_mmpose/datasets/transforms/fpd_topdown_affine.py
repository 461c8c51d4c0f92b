"""Crops a person with the affine map of the reference."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from fpd_mmpose.crops import crop_box, fit_aspect_ratio, reference_warp


@TRANSFORMS.register_module()
class FPDTopdownAffine(BaseTransform):
    """``TopdownAffine`` with the pixels of the released FPD code.

    The map is the same; the reference fixes it by other points, in float32
    (``transforms.py``: the centre, the middle of the box's upper edge, and a point at
    a right angle), and a rounding of the map's numbers changes a few pixels. With
    these points its crops are met bit for bit.

    Required Keys: ``img``, ``bbox_center``, ``bbox_scale``, ``bbox_rotation``
    (optional), ``keypoints`` (optional). Modified Keys: ``img``, ``bbox_scale``.
    Added Keys: ``transformed_keypoints``, ``input_size``, ``input_center``,
    ``input_scale``, ``warp_mat``.

    Args:
        input_size (tuple[int, int]): Width and height of the network's input.
    """

    def __init__(self, input_size: tuple[int, int]):
        self.input_size = input_size

    def transform(self, results: dict) -> dict:
        """Crops the box.

        Args:
            results (dict): With ``img`` (H, W, 3), one box as ``bbox_center`` and
                ``bbox_scale`` (1, 2) in pixels, ``bbox_rotation`` (1,) in degrees and
                ``keypoints`` (1, K, 2) in pixels.

        Returns:
            dict: With ``img`` (h, w, 3), ``transformed_keypoints`` in its pixels and
            ``warp_mat`` (2, 3), the map to them from the image as it was before
            ``RandomFlip``.

        Raises:
            ValueError: If there is not one box.
        """
        width, height = self.input_size
        if len(results['bbox_center']) != 1:
            raise ValueError(
                f'FPDTopdownAffine crops one box, got {len(results["bbox_center"])}'
            )
        results['bbox_scale'] = fit_aspect_ratio(results['bbox_scale'], self.input_size)
        center, scale = results['bbox_center'][0], results['bbox_scale'][0]
        warp = reference_warp(
            center, scale, results.get('bbox_rotation', [0.0])[0], self.input_size
        )
        mirror = _mirror(results.get('flip_direction'), results['img'].shape)
        results['warp_mat'] = warp @ mirror
        results['img'] = crop_box(_contiguous(results['img']), warp, (width, height))
        if results.get('keypoints') is not None:
            results['transformed_keypoints'] = cv2.transform(
                results['keypoints'][..., :2], warp
            )
        else:
            # What TopdownAffine leaves behind at inference.
            results['transformed_keypoints'] = np.zeros([])
            results['keypoints_visible'] = np.ones((1, 1, 1))
        results['input_size'] = (width, height)
        results['input_center'] = center
        results['input_scale'] = scale
        return results

    def __repr__(self) -> str:
        """Names the arguments."""
        return f'{type(self).__name__}(input_size={self.input_size})'


def _contiguous(image: np.ndarray) -> np.ndarray:
    """Copies the mirrored view that ``RandomFlip`` leaves, (H, W) or (H, W, C).

    OpenCV copies it too, value by value, in several times what the crop takes.
    """
    mirrored = tuple(axis for axis in (0, 1) if image.strides[axis] < 0)
    if not mirrored:
        return image
    codes = {(0,): 0, (1,): 1, (0, 1): -1}
    return cv2.flip(np.flip(image, mirrored), codes[mirrored])


def _mirror(direction: str | None, shape: tuple[int, ...]) -> np.ndarray:
    matrix = np.eye(3)
    for axis, directions in enumerate(
        (('horizontal', 'diagonal'), ('vertical', 'diagonal'))
    ):
        if direction in directions:
            matrix[axis, axis] = -1
            matrix[axis, 2] = shape[1 - axis] - 1
    return matrix
