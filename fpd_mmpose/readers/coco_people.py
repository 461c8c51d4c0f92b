"""Selects and checks the people of a COCO annotation file."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from xtcocotools.coco import COCO

from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.annotations import as_numbers, read_numbers, read_visibility
from fpd_mmpose.readers.coco import (
    CROWD,
    NOT_A_PERSON,
    CocoListing,
    check_ids,
    read_boxes,
    read_coco,
    read_crowd,
)

UNLABELED = 'without a labeled keypoint'
OUTSIDE = 'with a box outside the image'
NO_AREA = 'with a box of no area'
_ONE_PIXEL = 'with a box of one pixel'


@dataclass(frozen=True)
class CocoPeople:
    """The people of a file, with fields in one form.

    ``people`` have labeled keypoints; those of ``left_out`` have no usable box. The
    evaluation neither counts ``ignored`` people, who are crowds or have no labeled
    keypoint, nor predictions of them. ``left_out`` has the annotation ids of all who
    are not to be used, by the reason.
    """

    listing: CocoListing
    people: list[dict]
    ignored: list[dict]
    left_out: dict[str, list[int]]

    @property
    def used(self) -> list[dict]:
        """The people to train on, image by image in the order of the file."""
        # Ids of other categories may be those of people, too.
        unusable = {
            each
            for reason, ids in self.left_out.items()
            if reason != NOT_A_PERSON
            for each in ids
        }
        by_image = defaultdict(list)
        for person in self.people:
            if person['id'] not in unusable:
                by_image[person['image_id']].append(person)
        return [person for image in self.listing.images for person in by_image[image]]

    def truth(self, ids: Collection[int] | None = None) -> COCO:
        """Indexes the ground truth for an evaluation: all people, or those of ids."""
        people = [each for each in self.people if ids is None or each['id'] in ids]
        coco = COCO()
        coco.dataset = dict(
            images=list(self.listing.images.values()),
            categories=[dict(id=self.category, name='person')],
            # An evaluation adds fields, and converters change them.
            annotations=[dict(each) for each in (*people, *self.ignored)],
        )
        coco.createIndex()
        return coco

    @property
    def category(self) -> int:
        """The ``category_id`` that all people have."""
        return self.listing.person_ids[0]


def read_coco_people(path: str | Path, num_keypoints: int) -> CocoPeople:
    """Reads a file of annotated people; see :func:`select_people`."""
    return select_people(*read_coco(path), num_keypoints)


def select_people(
    listing: CocoListing, annotations: list, num_keypoints: int
) -> CocoPeople:
    """Selects and checks the people among the annotations of a file.

    Only what is used is checked: not the annotations of other categories, nor the boxes
    and keypoints of crowds, nor images without people. In the annotations, ``iscrowd``
    and ``category_id`` are set, and a visibility of -1 becomes 0.
    """
    path = listing.path
    names = [f'annotation {i} of "{path}"' for i in range(len(annotations))]
    check_ids(annotations, names, ['category_id'])
    left_out: dict[str, list[int]] = defaultdict(list)
    kept = listing.indices_of_people(annotations, f'"{path}" has annotations')
    for index in sorted({*range(len(annotations))}.difference(kept)):
        number = annotations[index].get('id')  # which is not checked
        left_out[NOT_A_PERSON].append(number if type(number) is int else index)
    everyone, names = [annotations[i] for i in kept], [names[i] for i in kept]
    check_ids(everyone, names, ['id', 'image_id'], unique='id')
    names = [f'annotation id {record["id"]} of "{path}"' for record in everyone]
    listing.check_images_of(everyone, names)
    if everyone and not any(record.get('keypoints') for record in everyone):
        raise UserError(
            f'{names[0]} has no `keypoints`, nor has any other: use '
            'person_keypoints_*.json, not instances_*.json'
        )
    people, ignored = [], []
    for record, name in zip(everyone, names, strict=True):
        record['category_id'] = listing.person_ids[0]
        record['iscrowd'] = int(read_crowd(record, name))
        if record['iscrowd']:
            left_out[CROWD].append(record['id'])
        elif record.get('keypoints'):
            people.append((record, name))
            continue
        else:
            left_out[UNLABELED].append(record['id'])
        ignored.append(record)
    labeled = _check_people(people, listing, num_keypoints, left_out)
    unlabeled = set(left_out[UNLABELED])
    ignored += [record for record, _ in people if record['id'] in unlabeled]
    return CocoPeople(
        listing,
        labeled,
        _scorable(ignored, num_keypoints),
        {reason: ids for reason, ids in left_out.items() if ids},
    )


def reference_box(box: Sequence[float], image: dict) -> tuple[float, ...]:
    """Computes the corners; the last is before the first if the box is outside."""
    x, y, width, height = box
    left, top = max(0, x), max(0, y)
    right = min(image['width'] - 1, left + max(0, width - 1))
    bottom = min(image['height'] - 1, top + max(0, height - 1))
    return left, top, right, bottom


def is_outside(box: Sequence[float], image: dict) -> bool:
    """Checks whether a box has no pixel in its image."""
    x, y, width, height = box
    return (
        x >= image['width'] or y >= image['height'] or x + width <= 0 or y + height <= 0
    )


def _check_people(
    found: list[tuple[dict, str]],
    listing: CocoListing,
    num_keypoints: int,
    left_out: dict[str, list[int]],
) -> list[dict]:
    """Checks people with keypoints, and returns those with a labeled one."""
    records, names = [each[0] for each in found], [each[1] for each in found]
    keypoints = read_numbers(
        records,
        names,
        'keypoints',
        (3 * num_keypoints,),
        f'{3 * num_keypoints} finite numbers (x, y, and visibility of {num_keypoints} '
        'keypoints)',
    ).reshape(-1, num_keypoints, 3)
    visible = read_visibility(keypoints[..., 2], names)
    for index in np.flatnonzero((visible != keypoints[..., 2]).any(axis=1)):
        numbers = np.column_stack([keypoints[index, :, :2], visible[index]])
        records[index]['keypoints'] = numbers.ravel().tolist()
    is_labeled = (visible > 0).any(axis=1)
    for index in np.flatnonzero(~is_labeled):
        left_out[UNLABELED].append(records[index]['id'])
    chosen = np.flatnonzero(is_labeled)
    people, names = [records[i] for i in chosen], [names[i] for i in chosen]
    read_numbers(people, names, 'area')
    boxes = read_boxes(people, names)
    images = [listing.images[record['image_id']] for record in people]
    sizes = np.array([(each['width'], each['height']) for each in images])
    swapped = _are_swapped(
        keypoints[chosen, :, :2], visible[chosen] > 0, boxes, sizes.reshape(-1, 2)
    )
    if swapped.any():
        raise UserError(
            f'{names[int(swapped.argmax())]} seems to have x and y of its keypoints '
            'swapped: expected x first, within the box'
        )
    for record, image in zip(people, images, strict=True):
        if reason := _why_unusable(record, image):
            left_out[reason].append(record['id'])
    return people


def _why_unusable(person: dict, image: dict) -> str | None:
    if person['area'] <= 0:
        return 'with an area of 0'
    if min(person['bbox'][2:]) == 0:
        return NO_AREA
    left, top, right, bottom = reference_box(person['bbox'], image)
    if is_outside(person['bbox'], image) or right < left or bottom < top:
        return OUTSIDE
    if right <= 0 or bottom <= 0 or (right == left and bottom == top):
        return _ONE_PIXEL
    return None


def _are_swapped(
    points: np.ndarray, labeled: np.ndarray, boxes: np.ndarray, image_sizes: np.ndarray
) -> np.ndarray:
    """Checks whose keypoints (n, k, 2) fill the box with x and y exchanged only.

    Compared are the parts inside the image, so that a person who is cut off by its edge
    does not count. Fewer than three keypoints, or keypoints on a line, fill no box.
    """
    starts, ends = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]

    def overlaps(points: np.ndarray) -> np.ndarray:
        low = np.where(labeled[..., None], points, np.inf).min(axis=1)
        high = np.where(labeled[..., None], points, -np.inf).max(axis=1)
        low, high = np.clip(low, 0, image_sizes), np.clip(high, 0, image_sizes)
        sides = np.minimum(high, ends) - np.maximum(low, starts)
        shared = np.maximum(sides, 0).prod(axis=1)
        union = (high - low).prod(axis=1) + boxes[:, 2:].prod(axis=1) - shared
        return np.divide(shared, union, out=np.zeros_like(union), where=union > 0)

    fits_exchanged = (overlaps(points) < 0.25) & (overlaps(points[..., ::-1]) >= 0.5)
    return fits_exchanged & (labeled.sum(axis=1) >= 3)


def _scorable(ignored: Iterable[dict], num_keypoints: int) -> list[dict]:
    """Returns the ignored people that an evaluation can place, with all it reads."""
    found = []
    for record in ignored:
        box = as_numbers(record.get('bbox'), (4,))
        if box is None:
            continue
        area = as_numbers(record.get('area'), ())
        keypoints = as_numbers(record.get('keypoints'), (3 * num_keypoints,))
        scorable = {
            **record,
            'bbox': box.tolist(),
            'area': float(np.prod(box[2:]) if area is None else area),
            'keypoints': np.zeros(3 * num_keypoints).tolist()
            if keypoints is None
            else keypoints.tolist(),
        }
        found.append(scorable)
    return found
