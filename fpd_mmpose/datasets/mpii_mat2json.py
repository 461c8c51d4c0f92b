"""Converts MPII's own annotation file to the files that training reads."""

import json
import os
from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from mmengine.logging import print_log
from scipy.io import savemat

from .files import MPII_TWINS, as_numbers, read_json
from .mpii_ground_truth import JOINT_NAMES
from .mpii_mat import MpiiPerson, MpiiRelease, read_mpii_mat

#: How many people the published files have.
PUBLISHED = {'train': 22246, 'valid': 2958, 'trainval': 29116, 'test': 7247}
#: Published coordinates are rounded to 4 digits and scales to 6.
SAME_PLACE = 1e-3
VAL_LIST = (
    'a list of validation images or people (one name a line, or .json with names or '
    'the records of a valid.json)'
)


def convert_mpii_mat(
    mat_file: str | Path,
    out_dir: str | Path,
    val_list: str | Path,
    people: str = 'single',
    layout: str = 'reference',
) -> dict[str, int]:
    """Writes the annotations of MPII as the reference and MMPose read them.

    ========  ==============================================================
    train     annotated people of training images without a validation person
    valid     the people of ``val_list``, and ``gt_valid.mat`` for them
    trainval  annotated people of all training images
    test      people of test images, without joints
    ========  ==============================================================

    No script that made the files in use has been published. What is known of them:

    - ``valid`` and ``gt_valid.mat`` have the people of Tompson et al. (CVPR 2015),
      joints rounded to 4 digits and scales to 6. Not all people of their images are
      among them, so that names of images do not suffice to get them: give a published
      ``valid.json`` as ``val_list``.
    - ``joints_vis`` is 1 for every annotated joint, occluded or not (its author, in
      issue 7 of human-pose-estimation.pytorch).
    - ``train``: 22,246 people by the rule above (issue 25 of pytorch-pose).
    - ``test``: 7,247 people, as many as ``single_person`` lists in test images (issue
      18 of eval-mpii-pose). The ``test.h5`` of Hourglass has 11,731.
    - ``trainval``: 29,116 people (issue 34 of deep-high-resolution-net.pytorch), by
      no known rule. By the one above it should be 28,883 (issue 25 again).

    Args:
        mat_file (str | Path): ``mpii_human_pose_v1_u12_1.mat``.
        out_dir (str | Path): Where to write. Nothing is written if anything fails.
        val_list (str | Path): The validation images, one name a line, or a ``.json``
            file: a list of names or of records with ``image``. Records with
            ``center`` and ``scale`` choose exactly these people in this order.
        people (str): Whom to take from test images, and from validation images given
            by name: ``'single'`` for those that ``single_person`` lists, or ``'all'``.
        layout (str): Names of the files, ``'reference'`` or ``'mmpose'``.

    Returns:
        dict[str, int]: How many people have been written, by the keys above.

    Raises:
        ValueError: If a file is not what it should be. One line.
    """
    if people not in ('single', 'all'):
        raise ValueError(f'people is "{people}": choose "single" or "all"')
    if layout not in ('reference', 'mmpose'):
        raise ValueError(f'layout is "{layout}": choose "reference" or "mmpose"')
    wanted = _read_val_list(val_list)
    release = read_mpii_mat(mat_file)
    left_out = Counter(release.left_out)

    images = {record['image'] for record in wanted}
    training = [person for person in release.people if person.train]
    trainval = [person for person in training if person.labelled.any()]
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
    left_out['in validation images, not for validation'] = (
        len(trainval) - len(train) - len(valid)
    )
    testing = [person for person in release.people if not person.train]
    test = [person for person in testing if person.single or people == 'all']
    left_out['in test images, not in single_person'] = len(testing) - len(test)
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
        verdict = 'as many as' if count == PUBLISHED[split] else 'unlike'
        _log(f'{name}: {count:,} people, {verdict} the published {PUBLISHED[split]:,}')
    for reason, count in left_out.items():
        if count:
            _log(f'left out: {count:,} people {reason}')
    return counts


def _log(message: str) -> None:
    print_log(message, logger='current')


def _read_val_list(path: str | Path) -> list[dict]:
    if Path(path).suffix == '.json':
        entries = read_json(path, VAL_LIST)
    else:
        try:
            lines = Path(path).read_text().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(
                f'"{path}" cannot be read ({error}): expected {VAL_LIST}'
            ) from error
        entries = [line.strip() for line in lines if line.strip()]
    if not isinstance(entries, list) or not entries:
        raise ValueError(f'"{path}" lists nothing: expected {VAL_LIST}')
    records = [
        {'image': entry} if isinstance(entry, str) else entry for entry in entries
    ]
    exact = isinstance(records[0], dict) and 'center' in records[0]
    for index, record in enumerate(records):
        if not isinstance(record, dict) or not isinstance(record.get('image'), str):
            raise ValueError(
                f'record {index} of "{path}" names no image: expected {VAL_LIST}'
            )
        if exact != ('center' in record) or exact and _place(record) is None:
            raise ValueError(
                f'record {index} of "{path}" needs a numeric center and scale, or no '
                f'record may have a center: expected {VAL_LIST}'
            )
    return records


def _place(record: dict) -> np.ndarray | None:
    if as_numbers(record['center'], (2,)) is None:
        return None
    return as_numbers([*record['center'], record.get('scale')], (3,))


def _check_images(
    names: set[str], release: MpiiRelease, val_list: str | Path, mat_file: str | Path
) -> None:
    unknown = sorted(name for name in names if not release.images.get(name))
    if unknown:
        raise ValueError(
            f'{len(unknown)} of {len(names)} images of "{val_list}" are not training '
            f'images of "{mat_file}", the first is "{unknown[0]}": correct the list'
        )


def _match(
    records: list[dict],
    people: list[MpiiPerson],
    val_list: str | Path,
    mat_file: str | Path,
) -> list[MpiiPerson]:
    """Finds the people of records by the image, the centre and the scale."""
    by_image = defaultdict(list)
    for index, person in enumerate(people):
        by_image[person.image].append((index, [*person.center, person.scale]))
    found = {}
    for number, record in enumerate(records):
        where = f'record {number} of "{val_list}" ("{record["image"]}")'
        matches = [
            index
            for index, place in by_image[record['image']]
            if np.abs(_place(record) - place).max() < SAME_PLACE
        ]
        if len(matches) != 1:
            raise ValueError(
                f'{where} is the place of {len(matches)} annotated people of '
                f'"{mat_file}", not of one: correct the list'
            )
        if matches[0] in found:
            raise ValueError(
                f'{where} is the same person as record {found[matches[0]]}: remove one'
            )
        found[matches[0]] = number
    return [people[index] for index in found]


def _ground_truth(
    people: list[MpiiPerson], val_list: str | Path, mat_file: str | Path
) -> dict[str, np.ndarray]:
    if not people:
        raise ValueError(
            f'no annotated person of "{mat_file}" is for validation by "{val_list}": '
            'list more images, or take all people (--people all)'
        )
    for person in people:
        if not np.linalg.norm(person.head_box[1] - person.head_box[0]) > 0:
            raise ValueError(
                f'the validation person at {person.center.tolist()} of '
                f'"{person.image}" in "{mat_file}" has no head box, by which PCKh '
                'divides: remove the person from the list'
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
    record = {}
    if joints:
        points = np.where(np.isnan(person.joints), -1.0, person.joints).tolist()
        record['joints_vis'] = person.labelled.astype(int).tolist()
        record['joints'] = [[round(x, 4), round(y, 4)] for x, y in points]
    record['image'] = person.image
    record['scale'] = round(person.scale, 6)
    record['center'] = [round(value, 4) for value in person.center.tolist()]
    return record


def _write(folder: Path, contents: dict[str, list | dict]) -> None:
    """Writes all files, or none of them."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix='.mpii_mat2json_', dir=folder) as staging:
            for name, content in contents.items():
                path = Path(staging, name)
                if path.suffix == '.mat':
                    savemat(path, content, do_compression=True)
                else:
                    path.write_text(json.dumps(content))
            for name in contents:
                os.replace(Path(staging, name), folder / name)
    except OSError as error:
        raise ValueError(
            f'"{folder}" cannot be written to ({error}): choose another folder'
        ) from error
