"""People without keypoints, to learn from a teacher alone."""

import logging
import os
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS
from mmpose.structures.bbox import bbox_xywh2xyxy

from ...media import (
    FoundFiles,
    Media,
    find_files,
    image_size,
    is_video,
    open_media,
    open_video,
)
from ...person_boxes import FAULTS, PersonBoxes, read_person_boxes

NOT_LISTED = 'in images that `images` does not list'
MISSING = 'in images that do not exist'


@DATASETS.register_module()
class UnlabeledPoseDataset(BaseCocoStyleDataset):
    """Images or videos with boxes of people, and without keypoints.

    Fast pose distillation can learn from them, the teacher's heatmaps being the only
    target (``distill_loss.alpha=1``, or beside labelled people in a
    ``CombinedDataset``). A pipeline for them has no ``GenerateTarget``.

    The boxes are in a file that ``tools/data/detect_people.py`` writes, or in one of
    COCO's: annotations, or a list of detections; see
    :mod:`fpd_mmpose.datasets.person_boxes`. Boxes that are not finite, have no area or
    are outside of their image are left out, and so is what the options below say; the
    log has the counts. Every image and video with a box is looked for, and the videos
    are opened; an image that turns out to be damaged is named by
    :class:`FPDLoadImage`, or by ``tools/data/check.py`` beforehand. Frames of videos
    are decoded when they are needed, by :class:`FPDLoadImage`.

    Args:
        images (str | Sequence[str]): A folder, with its subfolders; a text file with
            the name of an image or video on each line, relative to its own folder; an
            image; or a video; or several of these. Relative to ``data_prefix['img']``,
            and that to ``data_root``. Defaults to ``''``: all that is there. The box
            file names images relative to this folder, or to that of the text file, the
            image or the video. Boxes in images that a text file does not list are left
            out.
        ann_file (str): The boxes. Defaults to ``''``: none, which needs
            ``whole_image``.
        ann_file_images (str): For a list of detections: the COCO annotations that
            their ``image_id`` is from. Defaults to ``''``: it is the name of an image,
            or the number in it.
        score_thr (float): Boxes of a lower score are left out. Defaults to 0.
        min_size (float): Boxes with a shorter side, in pixels, are left out. Defaults
            to 0.
        whole_image (bool): Instead of ``ann_file``: each image, and each frame of a
            video, shows one person, who fills it. Defaults to False.
        ignore_missing (bool): Leave out boxes in images that do not exist, instead of
            raising an error. Defaults to False.
        apply_exif (bool): Whether images are turned as their EXIF orientation says,
            by :class:`FPDLoadImage`, because boxes are of the turned image, as for
            ``tools/data/detect_people.py`` and most detectors. Defaults to True.
        **kwargs: Those of ``MpiiDataset``. ``metainfo`` says which joints the student
            has, which are MPII's by default.

    Attributes:
        faulty (dict[str, list[int]]): Positions in ``ann_file`` of the boxes that are
            left out because something is wrong with them, by what it is.

    Raises:
        ValueError: If files are missing, do not belong together or leave no person, or
            a record is not what it should be. One line.
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
    ):
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
        """Finds the people.

        Returns:
            list[dict]: A record for each one: ``img_path``, ``img_id``, ``id``,
            ``bbox`` (1, 4) as xyxy in pixels, ``bbox_score`` (1,), ``apply_exif``;
            ``frame_index`` where ``img_path`` is a video; and ``expected_shape`` where
            the box file has the height and width of the image.

        Raises:
            ValueError: See the class.
        """
        for option, only in dict(
            data_mode='topdown', bbox_file=None, sample_interval=1
        ).items():
            if getattr(self, option) != only:
                raise ValueError(
                    f'{type(self).__name__} has no {option}: leave it out; boxes are '
                    'given as ann_file, and `indices` takes a part of them'
                )
        if bool(self.ann_file) == bool(self.whole_image):
            raise ValueError(
                f'{type(self).__name__} needs either ann_file, boxes of people, which '
                'tools/data/detect_people.py writes, or whole_image=True, where one '
                'person fills each image'
            )
        media = [open_media(path) for path in self.images]
        return self._whole_images(media) if self.whole_image else self._people(media)

    def _join_prefix(self) -> None:
        super()._join_prefix()
        prefix = self.data_prefix.get('img', '')
        self.images = [os.path.join(prefix, path) or '.' for path in self.images]
        if self.ann_file_images:
            self.ann_file_images = os.path.join(
                self.data_root or '', self.ann_file_images
            )

    def _whole_images(self, media: list[Media]) -> list[dict]:
        records = []
        for path in dict.fromkeys(
            each.path_of(name) for each in media for name in each.names()
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
        self._log(f'{len(records)} images, each of which is taken as a person')
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
            raise ValueError(
                f'"{self.ann_file}" has boxes in {_count_images(found)}, none of which '
                f'is in "{self.images[0]}" (the first is "{names[0]}"): do they belong '
                'together? Names are relative to the folder of `images`'
            )
        if found.missing and not self.ignore_missing:
            raise ValueError(
                f'{len(found.missing)} of {_count_images(found)} with boxes in '
                f'"{self.ann_file}" do not exist, the first is '
                f'"{next(iter(found.missing.values()))}": put them there, or set '
                'ignore_missing=True to go without'
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
        """Raises an error where an image is taken for a video, or a video is short."""
        last: dict[str, int] = defaultdict(int)
        for image_id in dict.fromkeys(people.image_ids):
            image = people.images[image_id]
            path = paths[image['file_name']]
            if is_video(path) != ('frame_index' in image):
                what = (
                    'is a video and has no' if is_video(path) else 'is no video, with'
                )
                raise ValueError(
                    f'image {image_id!r} of "{self.ann_file}", "{path}", {what} '
                    'frame_index: frames of videos, and only they, have one'
                )
            if is_video(path):
                last[path] = max(last[path], image['frame_index'])
        for path, index in last.items():
            count = len(open_video(path))
            if index >= count:
                raise ValueError(
                    f'"{self.ann_file}" has boxes in frame {index} of "{path}", which '
                    f'has {count} frames, from 0: do they belong together?'
                )

    def _report(self, everyone: PersonBoxes, people: PersonBoxes) -> None:
        left_out = people.left_out
        reasons = [f'{len(which)} {reason}' for reason, which in left_out.items()]
        if not people:
            raise ValueError(
                f'"{self.ann_file}" leaves no person to use; boxes left out: '
                f'{", ".join(reasons) or "none, it has none"}'
            )
        used = len(set(people.image_ids))
        empty = len(everyone.images) - len(set(everyone.image_ids))
        self._log(
            f'{len(people)} people in {used} of {len(everyone.images)} images, '
            f'{empty} of which have nobody'
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

    def _log(self, message: str, level: int = logging.INFO) -> None:
        source = self.ann_file or ', '.join(self.images)
        print_log(f'"{source}": {message}', logger='current', level=level)


def _count_images(found: FoundFiles) -> str:
    return f'{sum(map(len, found))} images'
