"""Checks the records of a dataset without opening its images."""

from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset

from fpd_mmpose.checks.findings import Report


class People:
    """The records of a dataset, by image.

    Keypoints of ``detections`` are placeholders. Records without keypoints count as
    detections.
    """

    def __init__(self, dataset: BaseDataset, detections: bool) -> None:
        self.dataset = dataset
        self.detections = detections
        #: The records of each image, by its path.
        self.images: dict[str, list[int]] = {}
        #: Pairs of records with the same image and box.
        self.repeated: list[tuple[int, int]] = []
        self.num_people = self.num_joints = self.num_annotated = 0
        first: dict[tuple[str, bytes], int] = {}
        for index in range(len(dataset)):
            record = self.record(index)
            path = str(record['img_path'])
            self.images.setdefault(path, []).append(index)
            boxes, _, visible = people_of(record)
            self.num_people += len(boxes)
            self.num_joints += visible.size
            self.num_annotated += int(visible.sum())
            for box in boxes:
                earlier = first.setdefault((path, box.tobytes()), index)
                if earlier != index:
                    self.repeated.append((earlier, index))
        if not self.num_joints:
            self.detections = True

    def record(self, index: int) -> dict[str, Any]:
        """Returns a record without the metainfo that MMPose copies into it."""
        return BaseDataset.get_data_info(self.dataset, index)

    def name(self, index: int) -> str:
        """Names a record for messages: index, id, and image."""
        record = self.record(index)
        return f'record {index} (id {record.get("id")}, "{record["img_path"]}")'

    def other_order(self) -> str:
        """Says where the annotation file has the same joints in another order."""
        mine = list(self.dataset.metainfo['keypoint_id2name'].values())
        # MMPose keeps the categories of the file here.
        for category in self.dataset.metainfo.get('CLASSES') or ():
            theirs = category.get('keypoints') if isinstance(category, dict) else None
            if not isinstance(theirs, list) or theirs == mine:
                continue
            if sorted(map(str, theirs)) == sorted(mine):
                joint = next(i for i, name in enumerate(mine) if name != theirs[i])
                return (
                    f'"{self.dataset.ann_file}" has the joints in another order than '
                    f'the metainfo: joint {joint} is "{theirs[joint]}" there, and '
                    f'"{mine[joint]}" here: correct one of them'
                )
        return ''

    def describe(self, title: str, report: Report) -> None:
        """Reports the counts, and anything odd about the records."""
        section = report.section(title)
        section['people'] = self.num_people
        section['images'] = len(self.images)
        section['people per image'] = self.num_people / len(self.images)
        if self.detections:
            section['annotated joints'] = 'none: boxes without keypoints'
        else:
            share = self.num_annotated / max(self.num_joints, 1)
            section['annotated joints'] = (
                f'{self.num_annotated:,} of {self.num_joints:,} ({share:.1%})'
            )
            # A test set may have no joints at all.
            if self.num_joints and not self.num_annotated:
                report.problems.append(
                    f'{title}: no joint of any person is annotated, so there is '
                    'nothing to learn or evaluate: is `ann_file` the right file?'
                )
        for reason, faulty in getattr(self.dataset, 'faulty', {}).items():
            report.warnings.append(
                f'{title}: boxes left out: {len(faulty):,} {reason}, the first is '
                f'record {faulty[0]} of `ann_file`'
            )
        if line := self.other_order():
            report.warnings.append(f'{title}: {line}')
        # A detector may output a box twice.
        if self.repeated and not self.detections:
            one, other = self.repeated[0]
            report.warnings.append(
                f'{title}: people with the image and box of another: '
                f'{len(self.repeated):,}, the first is record {other}, a repetition of '
                f'{self.name(one)}: remove them, unless they should count twice'
            )


def people_of(record: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns xyxy boxes (n, 4), keypoints (n, k, 2), and whether annotated (n, k).

    A record of a bottom-up dataset has several people.
    """
    boxes = np.asarray(record.get('bbox', np.zeros((0, 4))))
    keypoints = np.asarray(record.get('keypoints', np.zeros((0, 0, 2))))
    visible = np.asarray(record.get('keypoints_visible', np.zeros((0, 0)))) > 0
    return boxes, keypoints, visible
