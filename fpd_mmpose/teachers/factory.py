"""Builds the teacher that a config describes."""

from collections.abc import Mapping
from typing import Any

from fpd_mmpose.errors import UserError
from fpd_mmpose.teachers.base import Teacher
from fpd_mmpose.teachers.live import LiveTeacher
from fpd_mmpose.teachers.speed.fast_network import parse_speed
from fpd_mmpose.teachers.stored import StoredTeacher

#: The fields of ``model.teacher``.
FIELDS = ('config', 'checkpoint', 'joint_map', 'speed', 'output', 'cache')


def build_teacher(settings: Mapping[str, Any]) -> Teacher:
    """Builds a stored teacher from ``model.teacher`` with a ``cache``, else a live one.

    Nothing is read before the teacher is prepared.
    """
    _check_fields(settings)
    if not settings.get('cache'):
        return build_live_teacher(settings)
    # Without the cache, the same settings describe a live teacher: check them all.
    parse_speed(settings.get('speed', 'exact'))
    return StoredTeacher(
        settings['cache'],
        settings.get('config'),
        settings.get('checkpoint'),
        settings.get('joint_map'),
    )


def build_live_teacher(settings: Mapping[str, Any]) -> LiveTeacher:
    """Builds a live teacher from ``model.teacher``, with or without a ``cache``."""
    _check_fields(settings)
    needed = ('config', 'checkpoint')
    if missing := [field for field in needed if not settings.get(field)]:
        raise UserError(
            f'model.teacher needs {" and ".join(missing)}: a teacher is a network with '
            'its weights, or for training alone a cache of its heatmaps'
        )
    return LiveTeacher(**{k: v for k, v in settings.items() if k != 'cache'})


def _check_fields(settings: Mapping[str, Any]) -> None:
    if not isinstance(settings, Mapping):
        raise UserError(
            f'model.teacher must be a dict with {", ".join(FIELDS)}, got {settings!r}'
        )
    for field in settings:
        if field not in FIELDS:
            raise UserError(
                f'model.teacher has no field "{field}": there are {", ".join(FIELDS)}'
            )
