"""People without keypoints, for learning from a teacher alone."""

import logging
import os
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.datasets.transforms import GenerateTarget, LoadImage, RandomHalfBody
from mmpose.registry import DATASETS
from mmpose.structures.bbox import bbox_xywh2xyxy

from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.media import (
    FoundFiles,
    Media,
    find_files,
    image_size,
    is_video,
    open_media,
    open_video,
)
from fpd_mmpose.readers.person_boxes import FAULTS, PersonBoxes, read_person_boxes

NOT_LISTED = 'in images that `images` does not list'
MISSING = 'in images that do not exist'


@DATASETS.register_module()
class UnlabeledPoseDataset(BaseCocoStyleDataset):
    """Images or videos with boxes of people but without keypoints.

    Fast Pose Distillation can learn from them with the teacher's heatmaps as the only
    target: alone with ``distill_loss.alpha=1``, or with labeled people in a
    ``CombinedDataset``. Their pipeline has no step that needs keypoints, such as
    ``GenerateTarget``, and loads frames of videos with :class:`FPDLoadImage`.

    Boxes come from ``tools/data/detect_people.py`` or from COCO annotations or
    detections; :mod:`fpd_mmpose.readers.person_boxes` describes the format. Boxes that
    are not finite, have no area, or are outside their image are left out, and so are
    those that the options below exclude. The log has the counts.

    Every image and video with a box must exist, and the videos must open.
    :class:`FPDLoadImage` decodes images and frames when they are needed and names a
    damaged one; ``tools/data/check.py`` finds it beforehand.

    Args:
        images: A folder, including its subfolders; a text file with the name of an
            image or video per line, relative to its own folder; an image; a video; or
            several of these. They are relative to ``data_prefix['img']``, which is
            relative to ``data_root``. The box file names images relative to the same
            folder, or to that of the text file, image, or video. Boxes in images that a
            text file does not list are left out. Default: everything in the folder.
        ann_file: The boxes. Default: none, which requires ``whole_image``.
        ann_file_images: The COCO annotations that list the images of a list of
            detections. Default: none; each ``image_id`` is then the name of an image or
            the number in it.
        score_thr: Leave out boxes with a lower score.
        min_size: Leave out boxes with a shorter side, in pixels.
        whole_image: Take each image and each frame as one person, instead of reading
            ``ann_file``.
        ignore_missing: Leave out boxes in images that do not exist, instead of raising
            an error.
        apply_exif: Turn images as their EXIF orientation says, because the boxes are
            those of the turned image, as for ``tools/data/detect_people.py`` and most
            detectors.
        **kwargs: Arguments of ``MpiiDataset``. ``metainfo`` describes the joints of the
            student, which are MPII's by default.

    Attributes:
        faulty: Positions in ``ann_file`` of faulty boxes, by the fault.

    Raises:
        UserError: If files are missing or do not belong together, a record is invalid,
            or no person is left.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> from fpd_mmpose.datasets import UnlabeledPoseDataset
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Image.new('RGB', (64, 48)).save(f'{folder}/1.png')
        ...     dataset = UnlabeledPoseDataset(images=folder, whole_image=True)
        >>> dataset[0]['bbox'].tolist()
        [[0.0, 0.0, 64.0, 48.0]]
    """

    METAINFO: dict = dict(from_file='configs/_base_/datasets/mpii.py')

    def __init__(
        self,
        images: str | Sequence[str] = '',
        ann_file: str = '',
        ann_file_images: str = '',
        score_thr: float = 0.0,
        min_size: float = 0.0,
        whole_image: bool = False,
        ignore_missing: bool = False,
        apply_exif: bool = True,
        **kwargs: Any,
    ) -> None:
        self.images = [images] if isinstance(images, str) else list(images)
        self.ann_file_images = ann_file_images
        self.score_thr = score_thr
        self.min_size = min_size
        self.whole_image = whole_image
        self.ignore_missing = ignore_missing
        self.apply_exif = apply_exif
        self.faulty: dict[str, list[int]] = {}
        super().__init__(ann_file=ann_file, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Finds the people; see the class for the errors.

        A record has ``img_path``, ``img_id``, ``id``, ``bbox`` (1, 4) as xyxy in
        pixels, ``bbox_score`` (1,), and ``apply_exif``; for videos, ``frame_index``;
        and, if the box file has it, ``expected_shape``, the height and width.
        """
        for option, only in dict(
            data_mode='topdown', bbox_file=None, sample_interval=1
        ).items():
            if getattr(self, option) != only:
                raise UserError(
                    f'{type(self).__name__} has no {option}: leave it out, set '
                    '`ann_file` to the boxes, and use `indices` to select some of them'
                )
        if bool(self.ann_file) == bool(self.whole_image):
            raise UserError(
                f'{type(self).__name__} needs either ann_file with boxes of people, '
                'which tools/data/detect_people.py writes, or whole_image=True if one '
                'person fills each image'
            )
        media = [open_media(path) for path in self.images]
        records = self._whole_images(media) if self.whole_image else self._people(media)
        self._check_pipeline(records)
        return records

    def _check_pipeline(self, records: list[dict]) -> None:
        video = next(
            (each['img_path'] for each in records if 'frame_index' in each), ''
        )
        for step in self.pipeline.transforms:
            if isinstance(step, GenerateTarget | RandomHalfBody):
                raise UserError(
                    f'"{self._source}": the pipeline of unlabeled people has '
                    f'{type(step).__name__}, which needs keypoints: leave it out'
                )
            if type(step) is LoadImage and video:
                raise UserError(
                    f'"{video}" is a video, which LoadImage cannot read: use '
                    'FPDLoadImage in the pipeline'
                )

    def _join_prefix(self) -> None:
        super()._join_prefix()
        prefix = self.data_prefix.get('img', '')
        self.images = [os.path.join(prefix, path) or '.' for path in self.images]
        if self.ann_file_images:
            self.ann_file_images = os.path.join(
                self.data_root or '', self.ann_file_images
            )

    def _whole_images(self, media: list[Media]) -> list[dict]:
        records: list[dict] = []
        for path in dict.fromkeys(
            path
            for each in media
            for name in each.names()
            if (path := each.path_of(name))
        ):
            frames: list[dict] = [{}]
            if is_video(path):
                video = open_video(path)
                size = video.resolution
                frames = [dict(frame_index=index) for index in range(len(video))]
            else:
                size = image_size(path, self.apply_exif)
            for frame in frames:
                position = len(records)
                box = np.array([[0, 0, *size]], dtype=np.float64)
                record = self._record(position, position, path, box, 1.0)
                records.append(record | frame)
        self._log(f'{len(records)} images, each of which is one person')
        return records

    def _people(self, media: list[Media]) -> list[dict]:
        everyone = read_person_boxes(
            self.ann_file,
            self.ann_file_images,
            lambda: [name for each in media for name in each.names()],
        )
        people = everyone.usable(self.score_thr, self.min_size)
        people, paths = self._with_files(people, media)
        self._check_videos(people, paths)
        self._report(everyone, people)
        boxes = bbox_xywh2xyxy(people.boxes)
        records = []
        for index, image_id in enumerate(people.image_ids):
            image = people.images[image_id]
            record = self._record(
                index,
                image_id,
                paths[image['file_name']],
                boxes[index : index + 1],
                people.scores[index],
            )
            if 'frame_index' in image:
                record['frame_index'] = image['frame_index']
            if {'width', 'height'} <= set(image):
                record['expected_shape'] = (image['height'], image['width'])
            records.append(record)
        return records

    def _record(
        self, index: int, image_id: int | str, path: str, box: np.ndarray, score: float
    ) -> dict:
        return {
            'id': index,
            'img_id': image_id,
            'img_path': path,
            'bbox': box,
            'bbox_score': np.array([score], dtype=np.float64),
            'apply_exif': self.apply_exif,
        }

    def _with_files(
        self, people: PersonBoxes, media: list[Media]
    ) -> tuple[PersonBoxes, dict[str, str]]:
        names = [people.images[image_id]['file_name'] for image_id in people.image_ids]
        found = find_files(names, media)
        if names and not found.paths:
            raise UserError(
                f'"{self.ann_file}" has boxes in {_count_images(found)}, none of which '
                f'is in "{self.images[0]}" (the first is "{names[0]}"): do they belong '
                'together? Names are relative to the folder of `images`'
            )
        if found.missing and not self.ignore_missing:
            raise UserError(
                f'{len(found.missing)} of {_count_images(found)} with boxes in '
                f'"{self.ann_file}" do not exist (the first is '
                f'"{next(iter(found.missing.values()))}"): add them, or set '
                'ignore_missing=True to leave them out'
            )
        for reason, absent in (
            (NOT_LISTED, set(found.unlisted)),
            (MISSING, set(found.missing)),
        ):
            people = people.without(
                reason,
                [
                    people.images[each]['file_name'] in absent
                    for each in people.image_ids
                ],
            )
        return people, found.paths

    def _check_videos(self, people: PersonBoxes, paths: dict[str, str]) -> None:
        """Checks that frames of videos, and only they, have an index that exists."""
        last: dict[str, int] = defaultdict(int)
        for image_id in dict.fromkeys(people.image_ids):
            image = people.images[image_id]
            path = paths[image['file_name']]
            video = is_video(path)
            if video != ('frame_index' in image):
                fault = 'is a video but has no' if video else 'is not a video but has'
                raise UserError(
                    f'image {image_id!r} of "{self.ann_file}", "{path}", {fault} '
                    'frame_index: frames of videos, and only they, must have one'
                )
            if video:
                last[path] = max(last[path], image['frame_index'])
        for path, index in last.items():
            count = len(open_video(path))
            if index >= count:
                raise UserError(
                    f'"{self.ann_file}" has boxes in frame {index} of "{path}", which '
                    f'has {count} frames, from 0: do they belong together?'
                )

    def _report(self, everyone: PersonBoxes, people: PersonBoxes) -> None:
        left_out = people.left_out
        reasons = [f'{len(which)} {reason}' for reason, which in left_out.items()]
        if not people:
            raise UserError(
                f'"{self.ann_file}" has no person to use; boxes left out: '
                f'{", ".join(reasons) or "none, because it is empty"}'
            )
        used = len(set(people.image_ids))
        empty = len(everyone.images) - len(set(everyone.image_ids))
        self._log(
            f'{len(people)} people in {used} of {len(everyone.images)} images, '
            f'{empty} of which show nobody'
        )
        for reason, which in left_out.items():
            is_fault = reason in (*FAULTS, MISSING)
            if is_fault:
                self.faulty[reason] = which
            self._log(
                f'boxes left out: {len(which)} {reason} (the first is record '
                f'{which[0]})',
                logging.WARNING if is_fault else logging.INFO,
            )

    @property
    def _source(self) -> str:
        return self.ann_file or ', '.join(self.images)

    def _log(self, message: str, level: int = logging.INFO) -> None:
        print_log(f'"{self._source}": {message}', logger='current', level=level)


def _count_images(found: FoundFiles) -> str:
    return f'{sum(map(len, found))} images'
