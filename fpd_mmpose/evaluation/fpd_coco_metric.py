"""COCO's average precision as the reference takes it."""

from typing import Any

from mmpose.evaluation.metrics import CocoMetric
from mmpose.registry import METRICS

from ..datasets.coco_files import NUM_KEYPOINTS, read_coco


@METRICS.register_module()
class FPDCocoMetric(CocoMetric):
    """``CocoMetric`` without boxes in the results, as in the released FPD code.

    COCO's evaluation then takes the size of a person from the extent of the predicted
    keypoints. MMPose hands over the box as well, of which it takes the size instead:
    ``AP (M)`` and ``AP (L)`` differ, everything else is the same.

    Args:
        ann_file (str, optional): The annotations. Defaults to None: those of the test
            dataset.
        format_only (bool): Whether to write the results without evaluating them; the
            annotations may then have images alone. Defaults to False.
        **kwargs: See ``CocoMetric``, whose defaults are the reference's: a score is
            that of the box times the mean of the keypoint scores above 0.2, and people
            are suppressed from an OKS of 0.9.

    Raises:
        ValueError: If the annotations are missing, or are not COCO's. One line.
    """

    def __init__(
        self, ann_file: str | None = None, format_only: bool = False, **kwargs: Any
    ):
        super().__init__(format_only=format_only, **kwargs)
        if ann_file is not None:
            # Not by CocoMetric, which reads the file twice.
            self.ann_file = ann_file
            self.coco = read_coco(ann_file, None if format_only else NUM_KEYPOINTS)

    def results2json(self, keypoints: dict[int, list], outfile_prefix: str) -> None:
        """Writes the results in COCO's format, without boxes.

        Args:
            keypoints (dict[int, list]): The people of each image.
            outfile_prefix (str): The file's name, up to ``.keypoints.json``.
        """
        for people in keypoints.values():
            for person in people:
                person.pop('bbox', None)
        super().results2json(keypoints, outfile_prefix)
