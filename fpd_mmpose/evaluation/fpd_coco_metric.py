"""COCO's average precision as the reference computes it."""

from typing import Any

from mmengine.logging import MessageHub, print_log
from mmpose.evaluation.metrics import CocoMetric
from mmpose.registry import METRICS
from xtcocotools.coco import COCO

from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.coco import read_coco
from fpd_mmpose.readers.coco_people import CocoPeople, select_people

#: The names of COCO's scores.
COCO_SCORES = tuple(
    f'{name}{suffix}'
    for name in ('AP', 'AR')
    for suffix in ('', ' .5', ' .75', ' (M)', ' (L)')
)


@METRICS.register_module()
class FPDCocoMetric(CocoMetric):
    """``CocoMetric`` without boxes in the results, as in the reference.

    COCO's evaluation then takes the size of a person from the extent of the predicted
    keypoints. Stock MMPose adds the box to the results, which replaces that extent:
    ``AP (M)`` and ``AP (L)`` differ, and nothing else.

    With annotated boxes, the people who count are exactly those of the dataset, even if
    it uses a part of the file. With detected boxes, they are all people of the file.

    Args:
        ann_file: The annotations, of as many keypoints as the dataset has. Defaults to
            those of the test dataset.
        format_only: Whether to write the results without evaluating them, in which
            case the annotations may consist of images only.
        **kwargs: Arguments of ``CocoMetric``, whose defaults are those of the
            reference: a person's score is that of the box times the mean of the
            keypoint scores above 0.2, and OKS NMS has a threshold of 0.9.

    Raises:
        UserError: If the annotations are missing or invalid, or are those of other
            images than the predictions. Setting ``dataset_meta`` checks the people.

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
        self.ann_file = ann_file
        self.coco: COCO | None = None
        self._people: CocoPeople | None = None
        # A wrong file stops the run early; its people are checked with the metainfo.
        self._content = (
            None
            if ann_file is None
            else read_coco(ann_file, has_annotations=not format_only)
        )

    @property
    def dataset_meta(self) -> dict | None:
        """The metainfo of the dataset; setting it selects the people."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, meta: dict) -> None:
        if self.coco is None and not self.format_only:
            content, self._content = self._content, None
            # Where a dataset in test mode leaves the name of its file.
            file = MessageHub.get_current_instance().get_info(
                f'{meta["dataset_name"]}_ann_file', None
            )
            if content is None and file is not None:
                content = read_coco(file)
            if content is not None:
                self._people = select_people(*content, meta['num_keypoints'])
                self.coco = self._people.truth()
        CocoMetric.dataset_meta.fset(self, meta)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Scores the predictions, which are written to a file first."""
        if self._people is not None and results:
            self.coco = self._people.truth(self._annotated(results, self._people))
        return super().compute_metrics(results)

    def results2json(self, keypoints: dict[int, list], outfile_prefix: str) -> None:
        """Writes the results of each image in COCO's format, without boxes."""
        for people in keypoints.values():
            for person in people:
                person.pop('bbox', None)
                if self._people is not None:
                    person['category_id'] = self._people.category
        super().results2json(keypoints, outfile_prefix)

    def _annotated(self, results: list, known: CocoPeople) -> set[int] | None:
        """Returns the ids of predicted people; None if their boxes were detected."""
        path = known.listing.path
        for prediction, _ in results:
            if prediction['img_id'] not in known.listing.images:
                raise UserError(
                    f'there is a prediction for image {prediction["img_id"]!r}, which '
                    f'"{path}" does not list: set `ann_file` of the metric to the '
                    'annotations of the test dataset'
                )
        found = {each['id']: each['image_id'] for each in known.people}
        if any(found.get(each['id']) != each['img_id'] for each, _ in results):
            return None
        ids = {each['id'] for each, _ in results}
        if len(ids) < len(found):
            print_log(
                f'"{path}": the score is that of {len(ids)} of {len(found)} people, '
                'because the dataset leaves out the others',
                logger='current',
            )
        return ids
