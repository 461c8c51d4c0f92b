"""COCO's average precision as the reference computes it."""

from typing import Any

from mmpose.evaluation.metrics import CocoMetric
from mmpose.registry import METRICS

from fpd_mmpose.datasets.coco_files import NUM_KEYPOINTS, read_coco


@METRICS.register_module()
class FPDCocoMetric(CocoMetric):
    """``CocoMetric`` without boxes in the results, as in the reference.

    COCO's evaluation then takes the size of a person from the extent of the predicted
    keypoints. Stock MMPose adds the box to the results, which replaces that extent:
    ``AP (M)`` and ``AP (L)`` differ, and nothing else.

    Args:
        ann_file: The annotations. Defaults to those of the test dataset.
        format_only: Whether to write the results without evaluating them, in which
            case the annotations may consist of images only.
        **kwargs: Arguments of ``CocoMetric``, whose defaults are those of the
            reference: a person's score is that of the box times the mean of the
            keypoint scores above 0.2, and OKS NMS has a threshold of 0.9.

    Raises:
        UserError: If the annotations are missing, or are not those of COCO keypoints.

    Example:
        >>> from fpd_mmpose.evaluation import FPDCocoMetric
        >>> metric = FPDCocoMetric()
        >>> metric.score_mode, metric.keypoint_score_thr, metric.nms_thr
        ('bbox_keypoint', 0.2, 0.9)
    """

    def __init__(
        self, ann_file: str | None = None, format_only: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(format_only=format_only, **kwargs)
        if ann_file is not None:
            # Not through CocoMetric, which reads the file twice.
            self.ann_file = ann_file
            self.coco = read_coco(ann_file, None if format_only else NUM_KEYPOINTS)

    def results2json(self, keypoints: dict[int, list], outfile_prefix: str) -> None:
        """Writes the results of each image in COCO's format, without boxes."""
        for people in keypoints.values():
            for person in people:
                person.pop('bbox', None)
        super().results2json(keypoints, outfile_prefix)
