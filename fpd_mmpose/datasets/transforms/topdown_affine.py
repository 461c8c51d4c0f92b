"""Crops a person with MMPose's affine map, from an image of any size."""

from mmpose.datasets.transforms import TopdownAffine as StockTopdownAffine
from mmpose.registry import TRANSFORMS

from fpd_mmpose.geometry import MAX_SIDE, UDP_CROP, WARPS, crop_box


@TRANSFORMS.register_module(force=True)
class TopdownAffine(StockTopdownAffine):
    """MMPose's transform of this name, for images of any size.

    OpenCV does not warp images with a side of more than 32,766 pixels; of those, the
    part around the box is cropped. All other crops are MMPose's own.

    Args:
        input_size: Width and height of the network's input.
        use_udp: Whether the borders of the box become the centers of the outermost
            pixels.
    """

    def transform(self, results: dict) -> dict:
        """Crops the box; see ``mmpose.datasets.transforms.TopdownAffine``."""
        image = results['img']
        if isinstance(image, list) or max(image.shape[:2]) <= MAX_SIDE:
            return super().transform(results)
        # MMPose does all but the crop, for which it gets a pixel.
        results['img'] = image[:1, :1]
        results = super().transform(results)
        warp = WARPS[UDP_CROP if self.use_udp else 'TopdownAffine'](
            results['input_center'],
            results['input_scale'],
            results.get('bbox_rotation', [0.0])[0],
            self.input_size,
        )
        results['img'] = crop_box(image, warp, tuple(self.input_size))
        return results
