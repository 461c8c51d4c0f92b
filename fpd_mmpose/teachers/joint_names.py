"""Matches the joints of two skeletons by their names."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

#: The index of the teacher's heatmap of each joint of the student; None for no heatmap.
JointMap = list[int | None]

SIDES = {'l': 'left', 'left': 'left', 'r': 'right', 'right': 'right'}
#: The letters that stand for a pair of legs in AP-10K and Animal-Pose.
LEGS = {'f': 'front', 'b': 'back'}
#: Parts with several names in MMPose's datasets, and where each other name is from.
SYNONYMS = {
    'tophead': 'headtop',  # CrowdPose, Campus, Shelf
    'headmidtop': 'headtop',  # Animal Kingdom
    'bottomhead': 'headbottom',  # Campus, Shelf; PoseTrack18 has head_bottom
    'root': 'pelvis',  # Human3.6M, MPI-INF-3DHP; MPII and UBody3D have pelvis
    'midhip': 'pelvis',  # Panoptic Studio
    'tailbase': 'rootoftail',  # Animal-Pose; AP-10K has Root of tail
}
#: The same for the joints of fingers, which are numbered.
FINGERS = {
    'index': 'forefinger',  # UBody3D, as the next three
    'middle': 'middlefinger',
    'ring': 'ringfinger',
    'pinky': 'pinkyfinger',
}
#: What is said of a numbered point that is no part of a body: kpt-0, sss_kpt1, or 0.
MEANINGLESS = re.compile(r'(.*kpt|kp|keypoint|landmark|joint|point|part|)')
#: One word for different places: the crown, the middle of the head, or the face.
UNCLEAR = {'head'}


class JointSet(NamedTuple):
    """The joints of a dataset, in the order of the heatmaps.

    ``flips`` holds the index of each joint's mirror image, and ``dataset`` the name of
    the dataset; both may be unknown.
    """

    names: Sequence[str]
    flips: Sequence[int] | None = None
    dataset: str | None = None

    @property
    def mirrored(self) -> list[int] | None:
        """The flip table, unless it is unknown or only maps each joint to itself."""
        flips = None if self.flips is None else list(self.flips)
        return None if flips == list(range(len(self.names))) else flips


class Joint(NamedTuple):
    """What the name of a joint says."""

    side: str | None
    part: str
    number: int | None


def parse_name(name: str) -> Joint:
    """Reads a name such as ``left_eye``, ``L_Eye``, ``eyeL``, or ``thumb4``."""
    words = re.findall(r'[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+', name)
    words = [word.lower() for word in words]
    number = int(words.pop()) if words and words[-1].isdigit() else None
    sides = [word for word in words if word in SIDES]
    side = None
    if len(sides) == 1:
        side = SIDES[sides[0]]
        words.remove(sides[0])
        if len(words) > 1:
            words[0] = LEGS.get(words[0], words[0])
    part = ''.join(words)
    part = (SYNONYMS if number is None else FINGERS).get(part, part)
    return Joint(side, part, number)


def is_same(mine: JointSet, theirs: JointSet) -> bool:
    """Tells whether the skeletons list the same joints, whatever these are called."""
    if list(mine.names) != list(theirs.names):
        return False
    tables = mine.mirrored, theirs.mirrored
    if None not in tables:
        return tables[0] == tables[1]
    if None in (mine.dataset, theirs.dataset) or mine.dataset == theirs.dataset:
        return True
    # Without flip tables, the numbers of two datasets could be those of anything.
    return not any(_is_meaningless(parse_name(name)) for name in mine.names)


def match_names(mine: JointSet, theirs: JointSet) -> JointMap:
    """Finds each of my joints among theirs by what its name says.

    Points that are only numbered match nothing. Other numbered joints, such as those of
    a finger, match if both skeletons number that part alike.
    """
    wanted, offered = _joints(mine), _joints(theirs)
    series, their_series = _series(wanted), _series(offered)
    count = Counter(wanted), Counter(offered)
    place = {joint: index for index, joint in enumerate(offered)}

    def find(joint: Joint) -> int | None:
        if _is_meaningless(joint) or joint.part in UNCLEAR:
            return None
        if any(counter[joint] > 1 for counter in count):
            return None
        if series[joint[:2]] != their_series[joint[:2]]:
            return None
        return place.get(joint)

    return [find(joint) for joint in wanted]


def find_contradiction(
    joint_map: JointMap, mine: JointSet, theirs: JointSet
) -> str | None:
    """Says where a map contradicts a flip table or a side, or returns None."""
    for skeleton, used in (
        (mine, [joint for joint, other in enumerate(joint_map) if other is not None]),
        (theirs, [other for other in joint_map if other is not None]),
    ):
        if found := _wrong_side(skeleton, used):
            return found
    my_flips, their_flips = mine.mirrored, theirs.mirrored
    if my_flips is None or their_flips is None:
        return None
    for joint, other in enumerate(joint_map):
        if other is None:
            continue
        mirror, other_mirror = my_flips[joint], their_flips[other]
        expected = joint_map[mirror]
        if expected is None:
            agree = (mirror == joint) == (other_mirror == other)
        else:
            agree = expected == other_mirror
        if not agree:
            return (
                f'"{mine.names[joint]}" of the student becomes "{mine.names[mirror]}" '
                f'in a mirrored image, and "{theirs.names[other]}" of the teacher '
                f'becomes "{theirs.names[other_mirror]}"'
            )
    return None


def _wrong_side(skeleton: JointSet, used: Sequence[int]) -> str | None:
    """Says which joint of a side has no mirror image on the other side."""
    flips = skeleton.mirrored
    if flips is None:
        return None
    joints = _joints(skeleton)
    for index in used:
        joint, mirror = joints[index], flips[index]
        other_side = 'right' if joint.side == 'left' else 'left'
        if joint.side and joints[mirror] != joint._replace(side=other_side):
            return (
                f'"{skeleton.names[index]}" becomes "{skeleton.names[mirror]}" in a '
                'mirrored image'
            )
    return None


def _joints(skeleton: JointSet) -> list[Joint]:
    joints = [parse_name(name) for name in skeleton.names]
    if {Joint('left', 'hip', None), Joint('right', 'hip', None)} <= set(joints):
        # Halpe calls the middle between the hips "hip".
        middle, pelvis = Joint(None, 'hip', None), Joint(None, 'pelvis', None)
        joints = [pelvis if joint == middle else joint for joint in joints]
    return joints


def _series(joints: Sequence[Joint]) -> dict[tuple, set[int | None]]:
    """Collects the numbers of each side and part."""
    found = defaultdict(set)
    for joint in joints:
        found[joint[:2]].add(joint.number)
    return found


def _is_meaningless(joint: Joint) -> bool:
    return joint.number is not None and bool(MEANINGLESS.fullmatch(joint.part))
