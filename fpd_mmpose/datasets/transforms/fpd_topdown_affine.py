"""Crops a person with the affine map of the reference."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from fpd_mmpose.errors import UserError
from fpd_mmpose.geometry import fit_aspect_ratio, reference_crop, reference_warp

#: The axes, x and then y, that each direction of ``RandomFlip`` mirrors.
_FLIPPED = {'horizontal': (0,), 'vertical': (1,), 'diagonal': (0, 1)}


@TRANSFORMS.register_module()
class FPDTopdownAffine(BaseTransform):
    """``TopdownAffine`` with exactly the pixels of the reference.

    The map is the same, but the reference fits it to other points in float32
    (``transforms.py``: the center, the middle of the box's upper edge, and a point at a
    right angle), and its rounding changes a few pixels. With these points, crops equal
    the reference's bit for bit, with OpenCV 5 too, which interpolates differently.

    Required Keys: ``img``, ``bbox_center``, ``bbox_scale``, ``bbox_rotation``
    (optional), ``keypoints`` (optional). Modified Keys: ``img``, ``bbox_scale``.
    Added Keys: ``transformed_keypoints``, ``input_size``, ``input_center``,
    ``input_scale``, ``warp_mat``.

    Args:
        input_size: Width and height of the network's input.

    Raises:
        UserError: If there is not exactly one box.
    """

    def __init__(self, input_size: tuple[int, int]) -> None:
        self.input_size = input_size

    def transform(self, results: dict) -> dict:
        """Crops the box.

        Args:
            results: ``img`` (H, W, 3), one box as ``bbox_center`` and ``bbox_scale``
                (1, 2) in pixels, ``bbox_rotation`` (1,) in degrees, and ``keypoints``
                (1, K, 2) in pixels.

        Returns:
            The same, with ``img`` (h, w, 3), ``transformed_keypoints`` in its pixels,
            and ``warp_mat`` (2, 3), the map from the image before ``RandomFlip``.
        """
        width, height = self.input_size
        if len(results['bbox_center']) != 1:
            raise UserError(
                f'FPDTopdownAffine crops one box, got {len(results["bbox_center"])}: '
                "set data_mode='topdown' in the dataset"
            )
        results['bbox_scale'] = fit_aspect_ratio(results['bbox_scale'], self.input_size)
        center, scale = results['bbox_center'][0], results['bbox_scale'][0]
        warp = reference_warp(
            center, scale, results.get('bbox_rotation', [0.0])[0], self.input_size
        )
        mirror = np.eye(3)
        for axis in _FLIPPED.get(results.get('flip_direction') or '', ()):
            mirror[axis, axis] = -1
            mirror[axis, 2] = results['img'].shape[1 - axis] - 1
        results['warp_mat'] = warp @ mirror
        image = _contiguous(results['img'])
        results['img'] = reference_crop(image, warp, (width, height))
        if results.get('keypoints') is not None:
            results['transformed_keypoints'] = cv2.transform(
                results['keypoints'][..., :2], warp
            )
        else:
            # As TopdownAffine does at inference.
            results['transformed_keypoints'] = np.zeros([])
            results['keypoints_visible'] = np.ones((1, 1, 1))
        results['input_size'] = (width, height)
        results['input_center'] = center
        results['input_scale'] = scale
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(input_size={self.input_size})'


def _contiguous(image: np.ndarray) -> np.ndarray:
    """Copies an image (H, W) or (H, W, C) that ``RandomFlip`` left as a mirrored view.

    OpenCV would copy it value by value, which takes several times as long as the crop.
    """
    mirrored = tuple(axis for axis in (0, 1) if image.strides[axis] < 0)
    if not mirrored:
        return image
    codes = {(0,): 0, (1,): 1, (0, 1): -1}
    return cv2.flip(np.flip(image, mirrored), codes[mirrored])
