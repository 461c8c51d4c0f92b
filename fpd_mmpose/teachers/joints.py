"""Which heatmap of the teacher shows which joint of the student."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config
from mmengine.logging import MessageHub
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import DATASETS

from fpd_mmpose.errors import UserError

#: For each joint of the student the teacher's heatmap, or None where it has none.
JointMap = list[int | None]

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def joint_names(config: Mapping[str, Any]) -> list[str] | None:
    """Names the joints of a config's data, from MMPose's metainfo.

    Args:
        config (Mapping): Config of a run, or of a model alone.

    Returns:
        list[str] | None: The names in the order of the heatmaps; None where the config
        tells no data set.
    """
    for metainfo in _metainfos(config):
        names = parse_pose_metainfo(dict(metainfo))['keypoint_id2name']
        return [names[index] for index in sorted(names)]
    return None


def names_of_run(checkpoint: str) -> list[str] | None:
    """Names the student's joints, from the config of the run that builds it.

    mmengine's Runner puts its config into the message hub before it initialises the
    model.

    Args:
        checkpoint (str): The teacher's weights, by which the run is recognised.

    Returns:
        list[str] | None: See :func:`joint_names`; None outside of such a run.
    """
    config = config_of_run('checkpoint', checkpoint)
    return None if config is None else joint_names(config)


def config_of_run(option: str, value: str) -> Config | None:
    """Gives the config of the run that builds the student.

    Args:
        option (str): Of ``model.teacher``, by which the run is recognised.
        value (str): What it has to be.

    Returns:
        Config | None: None outside of such a run.
    """
    text = MessageHub.get_current_instance().runtime_info.get('cfg')
    if not text:
        return None
    config = Config.fromstring(text, '.py')
    teacher = (config.get('model') or {}).get('teacher') or {}
    return config if teacher.get(option) == value else None


def flip_indices(config: Mapping[str, Any]) -> list[int] | None:
    """Pairs the left and right joints of a config's data.

    Args:
        config (Mapping): Config of a run, or of a model alone.

    Returns:
        list[int] | None: For each joint the one on the other side, or itself; None
        where the config tells no data set.
    """
    for metainfo in _metainfos(config):
        return list(parse_pose_metainfo(dict(metainfo))['flip_indices'])
    return None


def resolve_joint_map(
    given: Sequence[int | None] | None,
    mine: int,
    theirs: int,
    my_names: Sequence[str] | None,
    their_names: Sequence[str] | None,
    teacher: str,
) -> JointMap | None:
    """Checks a map, or makes one by the names of the joints.

    Args:
        given (Sequence[int | None], optional): For each joint of the student, the
            teacher's heatmap, or None.
        mine (int): Joints of the student.
        theirs (int): Heatmaps of the teacher.
        my_names (Sequence[str], optional): The student's joints.
        their_names (Sequence[str], optional): The teacher's joints.
        teacher (str): The teacher's name, for errors.

    Returns:
        JointMap | None: None where all joints are the same, in the same order.

    Raises:
        UserError: If the map is not injective or out of range, or none is given and
            the joints have nothing in common. One line.
    """
    if given is not None:
        return _checked(list(given), mine, theirs)
    known = (
        my_names is not None
        and their_names is not None
        and (len(my_names), len(their_names)) == (mine, theirs)
    )
    if not known:
        if mine == theirs:
            return None
        raise UserError(
            f'teacher {teacher} has {theirs} joints and the student {mine}: set '
            f"model.teacher.joint_map to the {mine} indices of the teacher's heatmaps, "
            'None where it has none'
        )
    if list(my_names) == list(their_names):
        return None
    place = {name: index for index, name in enumerate(their_names)}
    found = [place.get(name) for name in my_names]
    if found == [None] * mine:
        raise UserError(
            f'teacher {teacher} has no joint of the student by name '
            f'({", ".join(my_names[:3])}, ...): set model.teacher.joint_map'
        )
    return found


def as_table(
    joint_map: JointMap,
    my_names: Sequence[str] | None,
    their_names: Sequence[str] | None,
) -> str:
    """Shows a map.

    Args:
        joint_map (JointMap): The map.
        my_names (Sequence[str], optional): The student's joints.
        their_names (Sequence[str], optional): The teacher's joints.

    Returns:
        str: A line for each joint of the student.
    """

    def label(index: int, names: Sequence[str] | None) -> str:
        return f'{index:>2} {names[index]}' if names else f'{index:>2}'

    rows = [('student', 'teacher')]
    for joint, source in enumerate(joint_map):
        theirs = 'none: not distilled' if source is None else label(source, their_names)
        rows.append((label(joint, my_names), theirs))
    width = max(len(row[0]) for row in rows)
    return '\n'.join(f'  {mine:<{width}}  {theirs}' for mine, theirs in rows)


def _metainfos(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    own = (config.get('model') or {}).get('metainfo')
    settings = [(config.get(loader) or {}).get('dataset') for loader in LOADERS]
    yield from filter(None, (own, *map(_metainfo, settings)))


def _metainfo(dataset: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if not dataset:
        return None
    own = dataset.get('metainfo')
    own = own or getattr(DATASETS.get(dataset.get('type', '')), 'METAINFO', None)
    inner = dataset.get('dataset') or (dataset.get('datasets') or [None])[0]
    return own or _metainfo(inner)


def _checked(joint_map: JointMap, mine: int, theirs: int) -> JointMap:
    if len(joint_map) != mine:
        raise UserError(
            f'model.teacher.joint_map has {len(joint_map)} entries, the student '
            f'{mine} joints'
        )
    for index in joint_map:
        if index is not None and not (type(index) is int and 0 <= index < theirs):
            raise UserError(
                f'model.teacher.joint_map has {index!r}, which is not a heatmap of the '
                f'teacher: they are 0 to {theirs - 1}, or None for a joint that it '
                'lacks'
            )
    used = [index for index in joint_map if index is not None]
    if len(set(used)) != len(used):
        raise UserError(
            f'model.teacher.joint_map uses a heatmap of the teacher twice: {joint_map}'
        )
    if not used:
        raise UserError('model.teacher.joint_map has no heatmap of the teacher')
    return joint_map
