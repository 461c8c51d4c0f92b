"""Loads the teacher of a student."""

from collections.abc import Sequence
from pathlib import Path

from fpd_mmpose.config import load_config
from fpd_mmpose.demos.pose_network import PoseNetwork
from fpd_mmpose.errors import UserError


def load_teacher(
    student: str | Path, given: Sequence[str] = (), device: str = 'auto'
) -> PoseNetwork:
    """Loads a teacher from its config and checkpoint, under the label ``'teacher'``.

    The default is the teacher that the student's config for distillation names.
    """
    if given:
        config, checkpoint = given
    else:
        named = load_config(student).model.get('teacher', {})
        config, checkpoint = named.get('config'), named.get('checkpoint')
        if not config or not checkpoint:
            raise UserError(
                f'config "{student}" does not name a teacher with a network: give the '
                'config and the checkpoint of one'
            )
    try:
        return PoseNetwork(config, checkpoint, device, label='teacher')
    except UserError as error:
        raise UserError(f'teacher: {error}') from error
