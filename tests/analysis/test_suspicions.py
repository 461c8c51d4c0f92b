"""Which labels are suspicious, and which disagreements are the teacher's failures."""

import numpy as np
import pytest

from fpd_mmpose.analysis.suspicions import Suspicions, find_suspicions
from fpd_mmpose.analysis.teacher_view import TeacherView

#: A head, and left and right hands, elbows, and feet.
FLIPS = [0, 2, 1, 4, 3, 6, 5]
POSE = np.array(
    [[50, 10], [20, 40], [80, 40], [30, 30], [70, 30], [40, 90], [60, 90.0]]
)
HEAD, LEFT_HAND, RIGHT_HAND = 0, 1, 2


def view(people: int = 4, **changes: np.ndarray) -> TeacherView:
    """People of whom the teacher sees every label where it is."""
    pose = np.tile(POSE, (people, 1, 1))
    ones = np.ones(pose.shape[:2])
    fields = dict(
        numbers=np.arange(people),
        center=np.full((people, 2), 50.0),
        scale=np.full((people, 2), 100.0),
        head=np.full(people, 10.0),
        labels=pose.copy(),
        labeled=ones > 0,
        teacher=pose.copy(),
        score=0.9 * ones,
        support=0.9 * ones,
        student=None,
    )
    return TeacherView(**fields | changes)


def found(seen: TeacherView, threshold: float = 0.3) -> Suspicions:
    return find_suspicions(seen, FLIPS, threshold)


def test_labels_where_the_teacher_sees_them_are_not_suspicious():
    quiet = found(view())
    assert (quiet.kind == '').all()
    assert not quiet.score.any() and not quiet.distance.any()


def test_a_label_more_than_half_a_head_away_is_moved():
    seen = view()
    seen.labels[0, HEAD] += (5.1, 0)
    seen.labels[1, HEAD] += (4.9, 0)
    seen.support[:2, HEAD] = 0
    result = found(seen)
    assert result.kind[:2, HEAD].tolist() == ['moved', '']
    assert result.distance[:2, HEAD] == pytest.approx([0.51, 0.49])
    assert np.count_nonzero(result.kind) == 1 == np.count_nonzero(result.score)


def test_a_pair_that_the_teacher_sees_the_other_way_round_is_swapped():
    seen = view()
    seen.labels[2, [LEFT_HAND, RIGHT_HAND]] = POSE[[RIGHT_HAND, LEFT_HAND]]
    seen.support[2, [LEFT_HAND, RIGHT_HAND]] = 0.1, 0.2
    result = found(seen)
    assert result.kind[2].tolist() == ['', 'swapped', 'swapped', '', '', '', '']
    # Both joints have the score of the less sure one.
    left, right = result.score[2, [LEFT_HAND, RIGHT_HAND]]
    assert left == right > 0
    seen.score[2, LEFT_HAND] = 0.2
    # What is left is one joint that the teacher sees elsewhere.
    assert found(seen).kind[2].tolist() == ['', '', 'moved', '', '', '', '']


def test_a_joint_without_a_label_is_supplied_if_the_teacher_is_sure():
    seen = view()
    seen.labeled[:2, HEAD] = False
    seen.score[1, HEAD] = 0.2
    result = found(seen)
    assert result.kind[:2, HEAD].tolist() == ['unlabeled', '']
    assert np.isnan(result.distance[:2, HEAD]).all()


def test_joints_that_the_teacher_lacks_say_nothing():
    seen = view()
    seen.teacher[:, HEAD], seen.score[:, HEAD], seen.labeled[0, HEAD] = -1, 0, False
    result = found(seen, threshold=0)
    assert (result.kind == '').all() and np.isnan(result.distance[:, HEAD]).all()


@pytest.mark.parametrize('reason', ['unsure', 'sees both', 'misses most', 'often'])
def test_what_speaks_for_a_failure_of_the_teacher_lowers_the_score(reason):
    seen = view()
    seen.labels[0, HEAD] += 30
    seen.support[0, HEAD] = 0
    clear = found(seen).score[0, HEAD]
    if reason == 'unsure':
        seen.score[0, HEAD] = 0.5
    elif reason == 'sees both':
        seen.support[0, HEAD] = 0.6
    elif reason == 'misses most':
        seen.teacher[0, 3:] += 40
    else:
        seen.teacher[1:3, HEAD] += 40
    assert 0 < found(seen).score[0, HEAD] < 0.8 * clear


def test_people_with_wrong_labels_come_before_those_with_missing_ones():
    seen = view()
    seen.labeled[3, HEAD] = False
    seen.labels[2, HEAD] += 30
    seen.labels[1, HEAD] += 30
    seen.support[1, HEAD] = 0
    ranking = found(seen).ranking().tolist()
    assert ranking[0] == 1 and ranking.index(3) < ranking.index(0)
    # The teacher finds the label of this one as likely as what it sees.
    assert found(seen).score[2, HEAD] == 0
