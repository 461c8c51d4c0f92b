"""Loads the image of a person; errors name the image and its record."""

from typing import Any

import numpy as np
from mmpose.datasets.transforms import LoadImage
from mmpose.registry import TRANSFORMS

from fpd_mmpose.errors import UserError
from fpd_mmpose.media_formats import why_undecoded
from fpd_mmpose.readers.media import exif_orientation, read_frame

_UNDECODED = 'cannot be decoded: is the file damaged?'


@TRANSFORMS.register_module()
class FPDLoadImage(LoadImage):
    """``LoadImage`` that reads images as the reference does.

    By default, the EXIF orientation is ignored (``JointsDataset.py``); MMPose applies
    it. Errors name the image and the record.

    Records of :class:`UnlabeledPoseDataset` have more keys: ``apply_exif`` applies the
    orientation; ``frame_index`` takes the image from the video ``img_path``, in BGR for
    any ``color_type``; ``expected_shape`` is the height and width that the image must
    have.

    Args:
        color_type: See ``mmcv.imfrombytes``.
        **kwargs: Arguments of ``LoadImage``.

    Raises:
        UserError: If the image is missing, unreadable, empty, or of another shape than
            expected, or a box has no pixel in it.
    """

    def __init__(
        self, color_type: str = 'color_ignore_orientation', **kwargs: Any
    ) -> None:
        super().__init__(color_type=color_type, **kwargs)
        upright = color_type.removesuffix('_ignore_orientation')
        self._load_upright = LoadImage(color_type=upright, **kwargs).transform

    def transform(self, results: dict) -> dict:
        """Loads ``img_path``, or uses ``img`` if it is given.

        Args:
            results: ``img_path`` or ``img`` (H, W, 3), and optionally ``frame_index``,
                ``apply_exif``, ``expected_shape`` (2,), ``bbox`` (n, 4) as xyxy in
                pixels, and ``id``.

        Returns:
            The same, with ``img``, ``img_shape``, and ``ori_shape``.
        """
        name = _name(results)
        given = 'img' in results
        if 'frame_index' in results and not given:
            results['img'] = self._frame(results)
        load = self._load_upright if results.get('apply_exif') else super().transform
        try:
            results = load(results)
        except FileNotFoundError as error:
            raise UserError(f'{name} does not exist') from error
        except Exception as error:  # of many types, from OpenCV and MMCV
            what = 'is not an array: is the file damaged?'
            if not given:
                what = why_undecoded(results['img_path'], error) or _UNDECODED
            raise UserError(f'{name} {what}') from error
        image = results['img']
        if not image.size:
            raise UserError(f'{name} has no pixels (shape {image.shape})')
        height, width = image.shape[:2]
        expected = results.get('expected_shape', (height, width))
        if tuple(expected) != (height, width):
            advice = "use the original image, or correct the record's width and height"
            turned = exif_orientation(results.get('img_path', '')) > 4
            if turned and tuple(expected) == (width, height):
                other = not results.get('apply_exif', False)
                advice = f'set apply_exif={other} in the dataset'
            raise UserError(
                f'{name} has {width} x {height} pixels, but its boxes are for '
                f'{expected[1]} x {expected[0]}: {advice}'
            )
        for box in np.reshape(results.get('bbox', []), (-1, 4)):
            inside = (box[:2] < (width, height)).all() and (box[2:] > 0).all()
            if not np.isfinite(box).all() or not inside:
                raise UserError(
                    f'box {box.round(1).tolist()} is outside {name}, {width} x '
                    f'{height} pixels: correct it or remove the record'
                )
        return results

    def _frame(self, results: dict) -> np.ndarray:
        try:
            frame = read_frame(results['img_path'], results['frame_index'])
        except UserError as error:
            record = f' (record {results["id"]})' if 'id' in results else ''
            raise UserError(f'{error}{record}') from error
        return frame.astype(np.float32) if self.to_float32 else frame


def _name(results: dict) -> str:
    path = results.get('img_path')
    name = f'image "{path}"' if path else 'the given image'
    if 'frame_index' in results:
        name = f'frame {results["frame_index"]} of video "{path}"'
    return f'{name} of record {results["id"]}' if 'id' in results else name
