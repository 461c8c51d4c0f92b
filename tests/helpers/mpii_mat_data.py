"""Writes files like MPII's mpii_human_pose_v1_u12_1.mat."""

from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

#: An empty MATLAB array.
EMPTY = np.zeros((0, 0))


def structs(records: list[dict]) -> np.ndarray:
    """Makes a struct array, in which missing fields are empty."""
    fields = list(dict.fromkeys(field for record in records for field in record))
    array = np.empty((1, len(records)), [(field, object) for field in fields])
    for index, record in enumerate(records):
        array[0, index] = tuple(record.get(field, EMPTY) for field in fields)
    return array


def person(
    joints: dict[int, tuple] | list[dict] | None = None,
    center: tuple = (50, 60),
    scale: Any = 1.5,
    head: tuple | None = (10, 20, 13, 24),
) -> dict:
    """Makes an annorect from joints by id, or from raw points."""
    record = {'scale': scale, 'objpos': structs([dict(x=center[0], y=center[1])])}
    if head:
        record |= dict(zip(('x1', 'y1', 'x2', 'y2'), head, strict=True))
    if isinstance(joints, dict):
        joints = [dict(x=x, y=y, id=joint) for joint, (x, y) in joints.items()]
    if joints is not None:
        record['annopoints'] = structs([dict(point=structs(joints))])
    return record


def image(
    name: Any, people: list[dict] = (), train: int = 1, single: Any = EMPTY
) -> dict:
    return dict(name=name, people=list(people), train=train, single=single)


def write_release(path: Path, images: list[dict]) -> Path:
    single = np.empty((len(images), 1), object)
    for index, entry in enumerate(images):
        single[index, 0] = entry['single']
    annolist = structs(
        [
            dict(
                image=structs([dict(name=entry['name'])]),
                annorect=structs(entry['people']) if entry['people'] else EMPTY,
                vididx=EMPTY,
            )
            for entry in images
        ]
    )
    release = dict(
        annolist=annolist,
        img_train=np.array([[entry['train'] for entry in images]], np.uint8),
        single_person=single,
    )
    savemat(path, {'RELEASE': release}, do_compression=True)
    return path
