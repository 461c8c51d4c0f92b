"""The quick start."""

import json
import re

import cv2
import pytest
from mmpose.registry import MODELS

from fpd_mmpose.cli import main as fpd
from fpd_mmpose.config import config_root, load_config
from fpd_mmpose.evaluation.mpii_pckh import SCORES
from fpd_mmpose.files import sha256_of
from fpd_mmpose.quickstart.run import STUDY
from fpd_mmpose.studies import read_study
from fpd_mmpose.weights import read_state_dict

FEW = ['--people', '24', '--labels', '8', '--held-out', '8', '--length', '0.002']
STUDENTS = ('plain', 'control', 'fpd', 'unlabeled')


@pytest.fixture(scope='module')
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp('quickstart')
    fpd(['quickstart', '--out', str(folder), *FEW])
    return folder


@pytest.fixture(scope='module')
def plan():
    return read_study(STUDY)


def test_it_saves_weights_that_match_the_plain_config(out):
    model = MODELS.build(load_config('configs/quickstart/hg1_32_drawn.py').model)
    for name in STUDENTS:
        weights = read_state_dict(str(out / f'{name}.pth'))
        model.load_state_dict(weights, strict=True)


def test_it_saves_the_table_of_the_reference(out, plan):
    table = (out / 'results.md').read_text()
    for heading in (*SCORES, 'Params', 'ms', 'Over the control'):
        assert f' {heading} ' in table
    for arm in plan.arms.values():
        assert f'| {arm.label} ' in table


def test_it_saves_pictures(out):
    for name in ('predictions.jpg', 'gains.png', 'curves.png'):
        image = cv2.imread(str(out / name))
        assert image is not None and image.std() > 10


def test_every_student_but_the_first_sees_as_many_samples(out):
    results = json.loads((out / 'results.json').read_text())
    samples = {name: results[name]['samples'] for name in STUDENTS}
    assert samples['control'] == samples['fpd'] == samples['unlabeled']
    assert 0 < samples['plain'] < samples['control']
    assert results['teacher']['samples'] == 0


def test_plain_and_distilled_students_differ_in_the_teacher_alone(plan, tmp_path):
    plain, distilled = (plan.config(n, 0, tmp_path, 1) for n in ('control', 'fpd'))
    for key in ('train_cfg', 'optim_wrapper', 'param_scheduler', 'train_dataloader'):
        assert plain[key] == distilled[key], key
    assert plain.randomness == distilled.randomness
    for key in ('backbone', 'head', 'data_preprocessor', 'test_cfg'):
        assert plain.model[key] == distilled.model[key], key


def test_seeds_choose_the_labels(out):
    fpd(['quickstart', '--out', str(out), *FEW, '--seeds', '0', '1'])
    first, second = (
        json.loads((out / f'data/annotations/labeled_{seed}.json').read_text())
        for seed in (0, 1)
    )
    assert len(first) == len(second) == 8 and first != second
    results = json.loads((out / 'results.json').read_text())
    assert list(results['fpd']['scores']) == ['0', '1']


class TestTheTeacher:
    @pytest.fixture(scope='class')
    def path(self):
        (found,) = (config_root() / 'quickstart').glob('*.pth')
        return found

    def test_is_named_after_its_hash(self, path):
        assert re.search('-(.{8})$', path.stem)[1] == sha256_of(path)[:8]
        assert path.stat().st_size < 3e6

    def test_is_that_of_the_configs(self, path, plan):
        distilled = load_config('configs/quickstart/hg1_32_fpd_drawn.py')
        assert distilled.model.teacher.checkpoint == str(path)
        assert plan.arms['teacher'].checkpoint == str(path)

    def test_fits_its_config(self, path):
        model = MODELS.build(load_config('configs/quickstart/hg2_64_drawn.py').model)
        model.load_state_dict(read_state_dict(str(path)), strict=True)


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        (['--people', '0'], '--people: must be 1 or more, got 0'),
        (['--people', '8', '--labels', '8'], 'labels must be less than the 8 people'),
        (['--seeds', '-1'], 'seeds must be different whole numbers, 0 or more'),
        (['--length', '-1'], 'length must be positive, got -1'),
    ],
)
def test_mistakes_are_named(options, expected, capsys, tmp_path):
    with pytest.raises(SystemExit) as stopped:
        fpd(['quickstart', '--out', str(tmp_path), *options])
    assert expected in f'{stopped.value}{capsys.readouterr().err}'
