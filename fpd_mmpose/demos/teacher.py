"""Which network taught a student."""

from collections.abc import Sequence
from pathlib import Path

from fpd_mmpose.config import load_config
from fpd_mmpose.demos.pose_network import PoseNetwork


def load_teacher(
    student: str | Path, given: Sequence[str] = (), device: str = 'auto'
) -> PoseNetwork:
    """Loads the teacher that is drawn beside a student.

    Args:
        student (str | Path): Config of the student's distillation.
        given (Sequence[str]): Config and checkpoint of the teacher. By default those
            that the student's config names.
        device (str): See :func:`pick_device`. Defaults to ``'auto'``.

    Returns:
        PoseNetwork: With the label ``'teacher'``.

    Raises:
        ValueError: If the student's config names none, or the teacher cannot be used.
            One line.
    """
    if given:
        config, checkpoint = given
    else:
        named = load_config(student).model.get('teacher', {})
        config, checkpoint = named.get('config'), named.get('checkpoint')
        if not config or not checkpoint:
            raise ValueError(
                f'config "{student}" names no teacher with a network: give '
                '--teacher CONFIG CHECKPOINT'
            )
    try:
        return PoseNetwork(config, checkpoint, device, label='teacher')
    except ValueError as error:
        raise ValueError(f'teacher: {error}') from error
