"""Finds what is wrong with a skeleton: the metainfo of a dataset, often in a file."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fpd_mmpose.errors import UserError, first_line

_FIELDS = ('dataset_name', 'keypoint_info', 'skeleton_info', 'joint_weights', 'sigmas')

#: MMPose's own skeleton that has a swap of one side.
_ONE_SIDED = 'deepfashion2'


def install() -> None:
    """Checks skeletons before MMPose parses them.

    MMPose stops with a ``KeyError`` for most mistakes, and trains with a swap that is
    given for one side alone, which moves joints of flipped images to the wrong place.
    """
    from mmpose.datasets.datasets import utils

    parse = utils.parse_pose_metainfo

    @functools.wraps(parse)
    def parse_pose_metainfo(metainfo: dict) -> dict:
        file = metainfo.get('from_file')
        if not file:
            name = metainfo.get('dataset_name')
            check_skeleton(metainfo, f'the metainfo of dataset "{name}"')
        elif Path(file).is_file():
            check_skeleton(_read(file), f'skeleton "{file}"')
        try:
            return parse(metainfo)
        except FileNotFoundError as error:
            raise UserError(f'skeleton "{file}" does not exist') from error

    utils.parse_pose_metainfo = parse_pose_metainfo


def check_skeleton(info: Mapping[str, Any], title: str) -> None:
    """Raises :class:`UserError` for the first mistake of a ``dataset_info``."""
    try:
        mistake = _mistake(info)
    except (AttributeError, TypeError) as error:
        mistake = f'a part has another type than in MMPose ({first_line(error)})'
    if mistake:
        raise UserError(f'{title}: {mistake}')


def _read(file: str) -> dict:
    from mmengine.config import Config

    try:
        content = Config.fromfile(file)
    except Exception as error:  # it is Python, and can fail in any way
        reason = f'{type(error).__name__}: {first_line(error)}'
        raise UserError(f'skeleton "{file}" cannot be read: {reason}') from error
    if 'dataset_info' not in content:
        raise UserError(f'skeleton "{file}" has no `dataset_info`')
    return content['dataset_info']


def _mistake(info: Mapping[str, Any]) -> str:
    if missing := [field for field in _FIELDS if field not in info]:
        return f'it has no `{missing[0]}`'
    joints = info['keypoint_info']
    if list(joints) != list(range(len(joints))):
        return f'number the joints in order, from 0 to {len(joints) - 1}'
    names = [joint.get('name') for joint in joints.values()]
    for number, name in enumerate(names):
        if not name:
            return f'joint {number} has no `name`'
        if names.index(name) < number:
            return f'joints {names.index(name)} and {number} are both called "{name}"'
    swaps = {
        joint['name']: joint.get('swap') or joint['name'] for joint in joints.values()
    }
    for name, other in swaps.items():
        if other not in swaps:
            return f'"{name}" has the `swap` "{other}", which is no joint'
    for name, other in swaps.items():
        if swaps[other] != name and info['dataset_name'] != _ONE_SIDED:
            return f'"{name}" has the `swap` "{other}": give that one the swap "{name}"'
    for link in info['skeleton_info'].values():
        for end in link.get('link') or ['']:
            if end not in swaps:
                return f'a link of `skeleton_info` names "{end}", which is no joint'
    # Many skeletons of MMPose have none, because they are not scored with OKS.
    if len(info['sigmas']) not in (0, len(joints)):
        return f'{len(info["sigmas"])} `sigmas` for {len(joints)} joints'
    return ''
