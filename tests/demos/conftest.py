"""The student, the teacher, and the image that tests of the demos share."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import cv2
import pytest
import torch
from mmpose.registry import MODELS

from fpd_mmpose.config import load_config
from fpd_mmpose.demos import PoseNetwork, load_teacher
from fpd_mmpose.synthetic import draw_person
from tests.helpers.reduced import reduced_config


def save_random(config: str, path: Path, seed: int = 0) -> str:
    """Saves random weights of a config's network in the format of mmengine."""
    torch.manual_seed(seed)
    model = MODELS.build(load_config(config).model)
    torch.save(dict(meta={}, state_dict=model.state_dict()), path)
    return str(path)


@pytest.fixture(scope='session')
def files(tmp_path_factory) -> dict[str, str]:
    """Writes configs and weights of a distillation and of its teacher."""
    folder = tmp_path_factory.mktemp('networks')
    names = dict(teacher='hourglass/hg8_256_mpii.py', student='fpd/hg4_128_fpd_mpii.py')
    found = {}
    for role, (stacks, features) in dict(teacher=(2, 16), student=(1, 8)).items():
        config = reduced_config(names[role], folder, folder, stacks, features)
        if role == 'student':
            config.model.teacher = dict(
                config=found['teacher'], checkpoint=found['teacher_weights']
            )
        found[role] = str(folder / f'small_{role}.py')
        config.dump(found[role])
        found[f'{role}_weights'] = save_random(found[role], folder / f'{role}.pth')
    return found


@pytest.fixture(scope='session')
def student(files) -> PoseNetwork:
    return PoseNetwork(files['student'], files['student_weights'], 'cpu')


@pytest.fixture(scope='session')
def teacher(files) -> PoseNetwork:
    return load_teacher(files['student'], device='cpu')


@pytest.fixture
def image_file(tmp_path) -> Path:
    """Draws a person on 90 x 120 pixels."""
    path = tmp_path / 'person.png'
    cv2.imwrite(str(path), draw_person(0, 'val', 0, size=120).image[:, :90])
    return path


@pytest.fixture
def full_disk() -> Callable[[int], AbstractContextManager]:
    """Limits the size of files in bytes, like a full disk."""

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        resource = pytest.importorskip('resource')
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited
