"""Opens the images of a dataset and checks that people are inside them."""

import hashlib
import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from fpd_mmpose.checks.findings import Report
from fpd_mmpose.checks.records import People, people_of
from fpd_mmpose.errors import UserError
from fpd_mmpose.media_formats import why_undecoded
from fpd_mmpose.readers.media import exif_orientation, open_video

#: How the configs load images of labeled people.
READ_FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
#: Pixels by which a joint may be outside, because coordinates start at 0 or 1.
TOLERANCE = 1.0

#: Faults of images and their remedies.
FAULTS = {
    'are missing': 'add them or remove their records',
    'are empty files': 'download them again',
    'cannot be opened (truncated, or not images)': 'download them again',
}
MISSING, EMPTY, UNREADABLE = FAULTS


@dataclass
class Images:
    """Findings about the images of a dataset.

    By path, ``digests`` are hashes of images that were read, and ``sizes`` the width
    and height of those that were opened. ``turned`` have an EXIF orientation that is
    ignored. ``suspects`` are records on which the pipeline may fail.
    """

    digests: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    turned: list[str] = field(default_factory=list)
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    suspects: list[int] = field(default_factory=list)


def check_images(
    title: str,
    people: People,
    num_images: int | None,
    rng: np.random.Generator,
    report: Report,
) -> Images:
    """Looks for every image and opens a random sample, or all if the number is None."""
    paths = list(people.images)
    count = len(paths) if num_images is None else min(num_images, len(paths))
    chosen = set(rng.choice(len(paths), count, replace=False).tolist())
    found = Images()
    # disable=None hides the bar where stderr is not a terminal.
    for index, path in enumerate(tqdm(paths, f'{title}: images', disable=None)):
        record = people.record(people.images[path][0])
        if fault := _check_image(path, index in chosen, record, found):
            found.faults[fault].append(path)
    section = report.section(title)
    section['opened images'] = f'{len(found.sizes):,} of {len(paths):,}'
    if found.sizes:
        low, high = (f(found.sizes.values(), key=np.prod) for f in (min, max))
        section['image sizes'] = f'{low[0]} x {low[1]} to {high[0]} x {high[1]}'
    _report_faults(title, people, found, report)
    _report_duplicates(title, found, report)
    _report_sizes(title, people, found, report)
    _report_places(title, people, found, report)
    return found


def _check_image(path: str, to_open: bool, record: dict, found: Images) -> str | None:
    """Notes the size and hash of an image, or returns its fault."""
    try:
        if not os.stat(path).st_size:
            return EMPTY
    except OSError:
        return MISSING
    if not to_open:
        return None
    if 'frame_index' in record:
        try:
            found.sizes[path] = open_video(path).resolution
        except UserError:
            return UNREADABLE
        return None
    flags = cv2.IMREAD_COLOR if record.get('apply_exif') else READ_FLAGS
    try:
        content = Path(path).read_bytes()
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except (OSError, cv2.error):
        image = None
    if image is None:
        return UNREADABLE
    found.digests[path] = hashlib.sha256(content).hexdigest()
    found.sizes[path] = image.shape[1::-1]
    if record.get('apply_exif') is False and exif_orientation(path) > 1:
        found.turned.append(path)
    return None


def _report_faults(title: str, people: People, found: Images, report: Report) -> None:
    for fault, paths in found.faults.items():
        first = people.name(people.images[paths[0]][0])
        reason = why_undecoded(paths[0]) if fault == UNREADABLE else None
        report.problems.append(
            f'{title}: images that {fault}: {len(paths):,}, the first is that of '
            f'{first}{f", which {reason}" if reason else f": {FAULTS[fault]}"}'
        )


def _report_duplicates(title: str, found: Images, report: Report) -> None:
    by_content = defaultdict(list)
    for path, digest in found.digests.items():
        by_content[digest].append(path)
    same = [paths for paths in by_content.values() if len(paths) > 1]
    if same:
        report.warnings.append(
            f'{title}: opened images that are copies of others under another name: '
            f'{sum(map(len, same)) - len(same):,}, the first "{same[0][1]}" of '
            f'"{same[0][0]}": remove the records of one of them'
        )


def _report_sizes(title: str, people: People, found: Images, report: Report) -> None:
    """Reports images that are not those that were annotated, or may be turned."""
    other, advice = [], 'correct width and height in the records'
    for path, (width, height) in found.sizes.items():
        record = people.record(people.images[path][0])
        expected = record.get('expected_shape')
        if expected is not None and tuple(expected) != (height, width):
            other.append(path)
            if tuple(expected) == (width, height) and exif_orientation(path) > 4:
                advice = 'set apply_exif in the dataset'
    if other:
        index = people.images[other[0]][0]
        found.suspects.append(index)
        report.warnings.append(
            f'{title}: images of another size than the annotations say: '
            f'{len(other):,}, the first is that of {people.name(index)}: use the '
            f'original images, or {advice}'
        )
    turned = [path for path in found.turned if path not in other]
    if turned:
        report.warnings.append(
            f'{title}: images with an EXIF orientation, which is ignored: '
            f'{len(turned):,}, the first is "{turned[0]}": set apply_exif=True in the '
            'dataset if people were annotated in the turned image'
        )


def _report_places(title: str, people: People, found: Images, report: Report) -> None:
    """Reports joints and boxes that are outside their images."""
    num_joints = 0
    outside: list[tuple[float, int, int]] = []  # distance, record, joint
    off_image: list[int] = []
    for path, size in found.sizes.items():
        for index in people.images[path]:
            boxes, keypoints, visible = people_of(people.record(index))
            corners = np.clip(boxes.reshape(-1, 2, 2), 0, size)
            # Written so that NaN is reported, too.
            if not (corners[:, 1] > corners[:, 0]).all():
                off_image.append(index)
            if people.detections:
                continue
            num_joints += int(visible.sum())
            distance = np.maximum(-keypoints, keypoints - np.array(size) + 1).max(-1)
            for person, joint in np.argwhere(visible & ~(distance <= TOLERANCE)):
                outside.append((distance[person, joint], index, int(joint)))
    section = report.section(title)
    section['boxes off their image'] = len(off_image)
    if off_image:
        found.suspects.append(off_image[0])
        report.warnings.append(
            f'{title}: boxes outside their image: {len(off_image):,}, the first is '
            f'that of {people.name(off_image[0])}: correct or remove them'
        )
    if people.detections:
        return
    section['joints off their image'] = f'{len(outside):,} of {num_joints:,}'
    if outside:
        distance, index, joint = max(outside)
        found.suspects.append(index)
        report.warnings.append(
            f'{title}: {len(outside):,} of {num_joints:,} annotated joints of the '
            f'opened images ({len(outside) / num_joints:.1%}) are outside their '
            f'image, in {len({index for _, index, _ in outside}):,} records; the '
            f'farthest, by {distance:.1f} px, is joint {joint} of '
            f'{people.name(index)}: draw them with `pictures`, and mark wrong ones as '
            'not annotated, because they count in training and testing'
        )
