"""Loads the image of a person, and says which one where that fails."""

import numpy as np
from mmpose.datasets.transforms import LoadImage
from mmpose.registry import TRANSFORMS

from ..media import read_frame


@TRANSFORMS.register_module()
class FPDLoadImage(LoadImage):
    """``LoadImage`` as the released FPD code reads images.

    The EXIF orientation is ignored (``JointsDataset.py``), where MMPose's default
    applies it. An image that cannot be used, or a box that lies outside of it, is
    named together with its record.

    Records of :class:`UnlabeledPoseDataset` say more: with ``apply_exif``, the
    orientation is applied after all; with ``frame_index``, the image is that frame of
    the video ``img_path``, in BGR whatever ``color_type`` is; and with
    ``expected_shape``, an image of another height and width is refused.

    Args:
        color_type (str): See ``mmcv.imfrombytes``. Defaults to
            ``'color_ignore_orientation'``.
        **kwargs: Those of ``LoadImage``.

    Raises:
        ValueError: If the image is missing, unreadable, empty or of another shape
            than expected, or the box has no pixel in it.
    """

    def __init__(self, color_type: str = 'color_ignore_orientation', **kwargs):
        super().__init__(color_type=color_type, **kwargs)
        upright = color_type.removesuffix('_ignore_orientation')
        self._load_upright = LoadImage(color_type=upright, **kwargs).transform

    def transform(self, results: dict) -> dict:
        """Loads ``img_path``, or takes ``img``.

        Args:
            results (dict): With ``img_path`` or ``img`` (H, W, 3), and optionally
                ``frame_index``, ``apply_exif``, ``expected_shape`` (2,), ``bbox``
                (n, 4) in xyxy pixels and ``id``, the record.

        Returns:
            dict: With ``img``, ``img_shape`` and ``ori_shape``.
        """
        name = _name(results)
        given = 'img' in results
        if 'frame_index' in results and not given:
            results['img'] = self._frame(results)
        load = self._load_upright if results.get('apply_exif') else super().transform
        try:
            results = load(results)
        except FileNotFoundError as error:
            raise ValueError(f'{name} does not exist') from error
        except Exception as error:  # of many types: OpenCV's, mmcv's assertions
            what = 'is not an array' if given else 'cannot be decoded'
            raise ValueError(f'{name} {what}: is the file damaged?') from error
        image = results['img']
        if not image.size:
            raise ValueError(f'{name} has no pixels (shape {image.shape})')
        height, width = image.shape[:2]
        expected = results.get('expected_shape', (height, width))
        if tuple(expected) != (height, width):
            raise ValueError(
                f'{name} has {width} x {height} pixels, and its boxes are from one of '
                f'{expected[1]} x {expected[0]}: was it changed since, or is '
                'apply_exif of the data set to be the other way round?'
            )
        for box in np.reshape(results.get('bbox', []), (-1, 4)):
            inside = (box[:2] < (width, height)).all() and (box[2:] > 0).all()
            if not np.isfinite(box).all() or not inside:
                raise ValueError(
                    f'box {box.round(1).tolist()} is outside of {name}, {width} x '
                    f'{height} pixels'
                )
        return results

    def _frame(self, results: dict) -> np.ndarray:
        try:
            frame = read_frame(results['img_path'], results['frame_index'])
        except ValueError as error:
            record = f' (record {results["id"]})' if 'id' in results else ''
            raise ValueError(f'{error}{record}') from error
        return frame.astype(np.float32) if self.to_float32 else frame


def _name(results: dict) -> str:
    path = results.get('img_path')
    name = f'image "{path}"' if path else 'the given image'
    if 'frame_index' in results:
        name = f'frame {results["frame_index"]} of video "{path}"'
    return f'{name} of record {results["id"]}' if 'id' in results else name
