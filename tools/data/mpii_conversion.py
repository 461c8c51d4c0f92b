"""Converts MPII's original annotation file to the files used in training.

========  =================================================================
train     annotated people of training images without a validation person
valid     the people of a validation list, with ``gt_valid.mat`` for them
trainval  annotated people of all training images
test      people of test images, without joints
========  =================================================================

The script that made the files in common use was never published. What is known:

- ``valid`` and ``gt_valid.mat`` have the people of Tompson et al. (CVPR 2015), with
  joints rounded to 4 digits and scales to 6. Other people of the same images are not
  among them, so image names do not suffice: use a published ``valid.json`` as the list.
- ``joints_vis`` is 1 for every annotated joint, occluded or not (its author, in issue 7
  of human-pose-estimation.pytorch).
- ``train`` has 22,246 people by the rule above (issue 25 of pytorch-pose).
- ``test`` has 7,247 people, as many as ``single_person`` lists in test images (issue 18
  of eval-mpii-pose). The ``test.h5`` of Hourglass has 11,731.
- ``trainval`` has 29,116 people (issue 34 of deep-high-resolution-net.pytorch), by an
  unknown rule. The rule above gives 28,883 (issue 25 of pytorch-pose).
"""

import json
import os
from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from mmengine.logging import print_log
from scipy.io import savemat

from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.annotations import MPII_TWINS, as_numbers
from fpd_mmpose.readers.mpii_ground_truth import JOINT_NAMES
from fpd_mmpose.readers.text import read_json, read_lines
from mpii_mat import MpiiPerson, MpiiRelease, read_mpii_mat

#: Numbers of people in the published files.
PUBLISHED = {'train': 22246, 'valid': 2958, 'trainval': 29116, 'test': 7247}
#: How far apart the same person may be: published coordinates have 4 digits.
SAME_PLACE = 1e-3
VAL_LIST = (
    'a list of validation images or people (one name per line, or .json with names or '
    'the records of a valid.json)'
)


def convert_mpii_mat(
    mat_file: str | Path,
    out_dir: str | Path,
    val_list: str | Path,
    people: str = 'single',
    layout: str = 'reference',
) -> dict[str, int]:
    """Writes all annotation files, or none if one fails, and counts their people.

    ``val_list`` is a text file with an image name per line, or JSON with a list of
    names or of records with ``image``. Records with ``center`` and ``scale`` select
    exactly these people, in this order. Otherwise, and in test images, ``people``
    selects those in ``single_person`` (``'single'``) or ``'all'``. ``layout`` sets the
    file names: ``'reference'`` or ``'mmpose'``.
    """
    if people not in ('single', 'all'):
        raise UserError(f'people is "{people}": choose "single" or "all"')
    if layout not in ('reference', 'mmpose'):
        raise UserError(f'layout is "{layout}": choose "reference" or "mmpose"')
    wanted = _read_val_list(val_list)
    release = read_mpii_mat(mat_file)
    left_out = Counter(release.left_out)

    images = {record['image'] for record in wanted}
    training = [person for person in release.people if person.train]
    trainval = [person for person in training if person.labeled.any()]
    left_out['without joints, in training images'] = len(training) - len(trainval)
    train = [person for person in trainval if person.image not in images]

    _check_images(images, release, val_list, mat_file)
    if 'center' in wanted[0]:
        valid = _match(wanted, trainval, val_list, mat_file)
    else:
        valid = [
            person
            for person in trainval
            if person.image in images and (person.single or people == 'all')
        ]
    left_out['in validation images but not for validation'] = (
        len(trainval) - len(train) - len(valid)
    )
    testing = [person for person in release.people if not person.train]
    test = [person for person in testing if person.single or people == 'all']
    left_out['in test images but not in single_person'] = len(testing) - len(test)
    ground_truth = _ground_truth(valid, val_list, mat_file)

    splits = {'train': train, 'valid': valid, 'trainval': trainval, 'test': test}
    contents = [
        [_record(person, joints=split != 'test') for person in chosen]
        for split, chosen in splits.items()
    ]
    names = [Path(pair[layout == 'reference']).name for pair in MPII_TWINS]
    _write(Path(out_dir), dict(zip(names, [*contents, ground_truth], strict=True)))

    counts = {split: len(chosen) for split, chosen in splits.items()}
    for name, (split, count) in zip(names, counts.items(), strict=False):
        published = PUBLISHED[split]
        verdict = 'as' if count == published else 'unlike'
        _log(
            f'{name}: {count:,} people, {verdict} in the published file ({published:,})'
        )
    for reason, count in left_out.items():
        if count:
            _log(f'left out: {count:,} people {reason}')
    return counts


def _log(message: str) -> None:
    print_log(message, logger='current')


def _read_val_list(path: str | Path) -> list[dict]:
    if Path(path).suffix.lower() == '.json':
        entries = read_json(path, VAL_LIST)
    else:
        entries = [line for line in read_lines(path, VAL_LIST) if line]
    if not isinstance(entries, list) or not entries:
        raise UserError(f'"{path}" lists nothing: expected {VAL_LIST}')
    records = [
        {'image': entry} if isinstance(entry, str) else entry for entry in entries
    ]
    exact = isinstance(records[0], dict) and 'center' in records[0]
    for index, record in enumerate(records):
        if not isinstance(record, dict) or not isinstance(record.get('image'), str):
            raise UserError(
                f'record {index} of "{path}" has no image name: expected {VAL_LIST}'
            )
        if exact != ('center' in record) or exact and not _has_place(record):
            raise UserError(
                f'record {index} of "{path}" needs a numeric center and scale, unless '
                f'no record has a center: expected {VAL_LIST}'
            )
    return records


def _has_place(record: dict) -> bool:
    center = as_numbers(record['center'], (2,))
    return center is not None and as_numbers(record.get('scale'), ()) is not None


def _check_images(
    names: set[str], release: MpiiRelease, val_list: str | Path, mat_file: str | Path
) -> None:
    unknown = sorted(name for name in names if not release.images.get(name))
    if unknown:
        raise UserError(
            f'{len(unknown)} of {len(names)} images of "{val_list}" are not training '
            f'images of "{mat_file}" (the first is "{unknown[0]}"): correct the list'
        )


def _match(
    records: list[dict],
    people: list[MpiiPerson],
    val_list: str | Path,
    mat_file: str | Path,
) -> list[MpiiPerson]:
    """Finds the person of each record by image, center, and scale."""
    by_image = defaultdict(list)
    for index, person in enumerate(people):
        by_image[person.image].append((index, [*person.center, person.scale]))
    found: dict[int, int] = {}
    for number, record in enumerate(records):
        where = f'record {number} of "{val_list}" ("{record["image"]}")'
        wanted = np.array([*record['center'], record['scale']], dtype=np.float64)
        matches = [
            index
            for index, place in by_image[record['image']]
            if np.abs(wanted - place).max() < SAME_PLACE
        ]
        if len(matches) != 1:
            raise UserError(
                f'{where} matches {len(matches)} annotated people of "{mat_file}" '
                'instead of one: correct the list'
            )
        if matches[0] in found:
            raise UserError(
                f'{where} is the same person as record {found[matches[0]]}: remove one'
            )
        found[matches[0]] = number
    return [people[index] for index in found]


def _ground_truth(
    people: list[MpiiPerson], val_list: str | Path, mat_file: str | Path
) -> dict[str, np.ndarray]:
    if not people:
        raise UserError(
            f'"{val_list}" chooses no annotated person of "{mat_file}" for validation: '
            "list more images, or set people='all'"
        )
    for person in people:
        if not np.linalg.norm(person.head_box[1] - person.head_box[0]) > 0:
            raise UserError(
                f'the validation person at {person.center.tolist()} of '
                f'"{person.image}" in "{mat_file}" has no head box, which PCKh needs: '
                'remove the person from the list'
            )
    names = np.empty((1, len(JOINT_NAMES)), object)
    names[0] = JOINT_NAMES
    joints = np.stack([person.joints for person in people], axis=-1)
    return {
        'dataset_joints': names,
        'jnt_missing': np.isnan(joints[:, 0]).astype(np.uint8),
        'pos_gt_src': np.nan_to_num(joints),
        'headboxes_src': np.stack([person.head_box for person in people], axis=-1),
    }


def _record(person: MpiiPerson, joints: bool) -> dict:
    record: dict = {}
    if joints:
        points = np.where(np.isnan(person.joints), -1.0, person.joints).tolist()
        record['joints_vis'] = person.labeled.astype(int).tolist()
        record['joints'] = [[round(x, 4), round(y, 4)] for x, y in points]
    record['image'] = person.image
    record['scale'] = round(person.scale, 6)
    record['center'] = [round(value, 4) for value in person.center.tolist()]
    return record


def _write(folder: Path, contents: dict[str, list | dict]) -> None:
    """Replaces the files only after all of them were written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix='.mpii_mat2json_', dir=folder) as staging:
            for name, content in contents.items():
                path = Path(staging, name)
                if path.suffix == '.mat':
                    savemat(path, content, do_compression=True)
                else:
                    path.write_text(json.dumps(content), encoding='utf-8')
            for name in contents:
                os.replace(Path(staging, name), folder / name)
    except OSError as error:
        raise UserError(
            f'"{folder}" cannot be written ({error}): choose another folder'
        ) from error
