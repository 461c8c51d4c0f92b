"""A user follows the page on own joints and photos, from annotations to a student."""

import contextlib
import json
import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest

from fpd_mmpose.cli import main
from fpd_mmpose.synthetic import draw_person
from tests.helpers import ROOT

PAGE = (ROOT / 'docs/howto/own_data.md').read_text(encoding='utf-8')
#: MPII's head, hands, and feet.
JOINTS = [9, 15, 10, 5, 0]
#: A network, and a schedule, that take a second.
SMALL = {
    'num_features=256': 'num_features=16',
    'head=dict(in_channels=5, out_channels=5)': (
        'head=dict(in_channels=5, out_channels=5, num_stages=1)'
    ),
    'backbone=dict(num_joints=5)': (
        'backbone=dict(num_joints=5, num_stacks=1, num_features=8)'
    ),
    'max_epochs=50, val_interval=10': 'max_epochs=1, val_interval=1',
    'interval=10': 'interval=1',
    'dict(batch_size=8,': 'dict(batch_size=8, num_workers=0, persistent_workers=False,',
    'dict(dataset=dict(ann': (
        'dict(num_workers=0, persistent_workers=False, dataset=dict(ann'
    ),
    'epoch_50.pth': 'epoch_1.pth',
}


def blocks(language: str) -> list[str]:
    """The code blocks of the page, made small."""
    found = re.findall(rf'```{language}\n(.*?)```', PAGE, re.DOTALL)
    for old, new in SMALL.items():
        found = [block.replace(old, new) for block in found]
    return found


def write_climbers(root: Path) -> None:
    """Forty photos with annotations of five joints."""
    (root / 'images').mkdir(parents=True)
    for split, numbers in dict(train=range(32), val=range(32, 40)).items():
        images, people = [], []
        for number in numbers:
            sample = draw_person(0, split, number, 96)
            name = f'{number}.jpg'
            cv2.imwrite(str(root / 'images' / name), sample.image)
            images.append(dict(id=number, file_name=name, width=96, height=96))
            points = np.asarray(sample.joints)[JOINTS]
            (x, y), (right, bottom) = points.min(axis=0), points.max(axis=0)
            box = [float(each) for each in (x, y, right - x, bottom - y)]
            flags = np.full((5, 1), 2)
            people.append(
                dict(
                    id=number,
                    image_id=number,
                    category_id=1,
                    bbox=box,
                    area=box[2] * box[3],
                    keypoints=np.hstack([points, flags]).ravel().tolist(),
                )
            )
        content = dict(
            images=images, annotations=people, categories=[dict(id=1, name='climber')]
        )
        (root / f'{split}.json').write_text(json.dumps(content), encoding='utf-8')


def run(block: str) -> None:
    for command in block.replace('\\\n', ' ').splitlines():
        words = shlex.split(command)
        assert words[0] == 'fpd'
        # `check` says by its exit status that it found no problem.
        expected = [SystemExit] if words[1] == 'check' else []
        with contextlib.suppress(*expected):
            main(words[1:])


@pytest.mark.filterwarnings('ignore')
def test_the_page_can_be_followed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('sys.argv', ['fpd'])
    write_climbers(tmp_path / 'data/climbers')
    joints, student, teacher, on_a_folder, on_a_device = blocks('python')
    training, export = blocks('bash')
    Path('joints.py').write_text(joints, encoding='utf-8')
    Path('my_student.py').write_text(student, encoding='utf-8')
    Path('my_teacher.py').write_text(teacher, encoding='utf-8')

    run(training)
    assert 'OK: the run can start' in capsys.readouterr().out
    for name in ('my_teacher', 'my_student', 'my_student_fpd'):
        assert Path(f'work_dirs/{name}/epoch_1.pth').is_file()

    exec(on_a_folder, {})
    assert len(list(Path('drawn').rglob('*.jpg'))) == 40
    printed = capsys.readouterr().out
    assert printed.count('[[') >= 40

    run(export)
    names: dict = {}
    exec(on_a_device, names)
    assert names['people'].keypoints.shape == (1, 5, 2)
