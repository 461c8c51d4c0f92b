"""Drawn people, two of them with a wrong label, and the teacher of the quick start."""

import copy
import csv
import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from fpd_mmpose.analysis.label_analysis import analyze
from fpd_mmpose.analysis.label_report import LabelReport
from fpd_mmpose.cli import main
from fpd_mmpose.config import config_root, load_config, set_data_root
from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.mpii_ground_truth import read_head_sizes
from fpd_mmpose.studies.people_split import split_people
from tests.helpers.check_data import HEADS, TRAIN, edit
from tests.helpers.heads import simcc
from tests.helpers.stored_maps import small_config, store_maps

CONFIG = 'quickstart/hg1_32_fpd_drawn.py'
TEACHER = config_root() / 'quickstart/hg2_64_drawn-be15d19a.pth'
ALL = {'train_dataloader.dataset.ann_file': TRAIN}
SWAPPED, MOVED, GONE, ODD = 0, 1, 5, 9
SHOULDERS, HEAD_TOP, ANKLE = [12, 13], 9, 0
ODD_NAME = '<b>&"1.jpg'


@pytest.fixture
def root(mpii_root, tmp_path) -> Path:
    """People whose labels a test may change."""
    shutil.copytree(mpii_root, tmp_path / 'people')
    return tmp_path / 'people'


@pytest.fixture(scope='module')
def planted(mpii_root, tmp_path_factory) -> LabelReport:
    """Swapped shoulders, a moved head, a missing label, and files that are odd."""
    folder = tmp_path_factory.mktemp('planted')
    root = folder / 'people'
    shutil.copytree(mpii_root, root)

    def plant(people: list[dict]) -> None:
        joints = people[SWAPPED]['joints']
        joints[12], joints[13] = joints[13], joints[12]
        people[MOVED]['joints'][HEAD_TOP][0] += 35
        people[MOVED]['joints_vis'][ANKLE] = 0
        (root / 'images' / people[GONE]['image']).unlink()
        image = root / 'images' / people[ODD]['image']
        people[ODD]['image'] = image.rename(image.with_name(ODD_NAME)).name

    edit(root / TRAIN, plant)
    return analyze(CONFIG, folder / 'out', data=root, options=ALL, pictures=12)


@pytest.fixture(scope='module')
def rows(planted) -> list[dict]:
    with (planted.out / 'people.csv').open(encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope='module')
def page(planted) -> str:
    return (planted.out / 'analysis.html').read_text(encoding='utf-8')


class TestPlantedErrors:
    def test_they_are_the_first_suspicions(self, planted):
        first, second, *_ = planted.suspected()
        expected = [(SWAPPED, {*SHOULDERS}), (MOVED, {HEAD_TOP})]
        assert sorted([first, second]) == expected
        ranking = planted.view.numbers[planted.suspicions.ranking()]
        assert {*ranking[:2].tolist()} == {SWAPPED, MOVED}

    def test_the_file_has_every_joint_of_every_person(self, rows):
        assert len(rows) == 11 * 16
        (head,) = (
            row
            for row in rows
            if row['id'] == str(MOVED) and row['joint'] == 'head_top'
        )
        assert head['suspicion'] == 'moved' and head['labeled'] == '1'
        away = [
            float(head[f'label_{axis}']) - float(head[f'teacher_{axis}'])
            for axis in 'xy'
        ]
        assert away[0] == pytest.approx(35, abs=8) and abs(away[1]) < 8
        assert 1 < float(head['distance']) and 0.3 < float(head['teacher_score']) <= 1
        assert 0 < float(head['suspicion_score']) < 1
        assert Path(head['image']).is_file()
        swapped = [row for row in rows if row['suspicion'] == 'swapped']
        assert [row['joint'] for row in swapped if row['id'] == str(SWAPPED)] == [
            'right_shoulder',
            'left_shoulder',
        ]

    def test_a_joint_without_a_label_has_the_teachers_place_alone(self, rows):
        (ankle,) = (
            row
            for row in rows
            if row['id'] == str(MOVED) and row['joint'] == 'right_ankle'
        )
        empty = ('label_x', 'label_y', 'distance')
        assert ankle['labeled'] == '0' and not any(ankle[name] for name in empty)
        assert ankle['suspicion'] == 'unlabeled' and float(ankle['teacher_x']) > 0

    def test_the_table_counts_them(self, planted):
        lines = {
            line.split('|')[1].strip(): [cell.strip() for cell in line.split('|')[2:-1]]
            for line in str(planted).splitlines()
            if line.startswith('|')
        }
        assert len(lines) == 1 + 1 + 16 + 1
        kind = planted.suspicions.kind
        labels, *_, moved, swapped, supplied = lines['all']
        assert int(labels) == planted.view.labeled.sum()
        assert [int(moved), int(swapped), int(supplied)] == [
            (kind == one).sum() for one in ('moved', 'swapped', 'unlabeled')
        ]
        assert lines['right ankle'][-1] == '1' and 'teacher nearer' not in str(planted)


class TestPage:
    def test_it_loads_nothing_from_elsewhere(self, page):
        assert page.count('src="') == page.count('src="data:image/jpeg;base64,') > 1
        assert 'href' not in page and 'http' not in page and '<script' not in page

    def test_file_names_are_text(self, page):
        assert '&lt;b&gt;&amp;&quot;1.jpg' in page and '<b>&' not in page

    def test_an_image_that_is_gone_has_a_placeholder(self, page, planted):
        assert [*planted.unread] == [GONE]
        assert '11 people' in str(planted) and 'does not exist' in str(planted)
        (placeholder,) = re.findall('<div class="gone">(.*?)</div>', page)
        assert 'does not exist' in placeholder

    def test_an_image_that_goes_later_has_one_too(self, planted):
        row = planted.view.numbers.tolist().index(ODD)
        (image,) = planted.out.parent.glob(f'people/images/{ODD_NAME}')
        assert planted.picture(row).shape == (320, 320, 3)
        content = image.read_bytes()
        image.unlink()
        assert 'does not exist' in planted.picture(row)
        image.write_bytes(content)


def test_pictures_show_both_skeletons(planted):
    row = planted.view.numbers.tolist().index(SWAPPED)
    picture = planted.picture(row).reshape(-1, 3).astype(int)
    plain = cv2.imread(planted.people.name(SWAPPED)[0]).reshape(-1, 3).astype(int)
    for color in ((0, 159, 230), (233, 180, 86), (60, 0, 228)):
        drawn, there = (
            (np.abs(pixels - color).max(1) < 8).sum() for pixels in (picture, plain)
        )
        assert drawn > 50 > there, color


def test_a_student_is_compared_with_both(mpii_root, tmp_path):
    # The student is the teacher itself, so the teacher is always nearer.
    config = load_config('quickstart/hg2_64_drawn.py')
    config.model.type = 'FPDDistiller'
    config.model.teacher = load_config(CONFIG).model.teacher
    weights = str(TEACHER)
    report = analyze(
        config, tmp_path, data=mpii_root, student=weights, options=ALL, limit=4
    )
    assert len(report.view.numbers) == 4
    assert report.view.student == pytest.approx(report.view.teacher, abs=1e-3)
    last = str(report).split('\n\n')[0].splitlines()[-1]
    assert last.endswith(' 100.0% |') and 'nearer to student' in str(report)


def test_head_sizes_are_those_of_the_ground_truth_where_it_has_them(
    mpii_root, tmp_path
):
    validation = analyze(CONFIG, tmp_path, data=mpii_root, split='val')
    known = read_head_sizes(mpii_root / HEADS)
    assert validation.view.head == pytest.approx(known)
    training = analyze(CONFIG, tmp_path, data=mpii_root, options=ALL, limit=2)
    people = json.loads((mpii_root / TRAIN).read_text())[:2]
    # A tenth of the box, which has 200 pixels per unit of scale.
    assert training.view.head == pytest.approx([20 * one['scale'] for one in people])


def run_with(config: Config, root: Path, out: Path) -> LabelReport:
    """Analyzes a config that is changed by this."""
    config = copy.deepcopy(config)
    set_data_root(config, root)
    config.merge_from_dict(ALL)
    return analyze(config, out)


@pytest.mark.parametrize('teaching', ['heatmaps', 'simcc'])
@pytest.mark.parametrize('learning', ['heatmaps', 'simcc'])
def test_a_label_where_the_teacher_sees_it_has_all_support(
    teaching, learning, root, tmp_path
):
    config = load_config(CONFIG)
    network = simcc(joints=16)
    if teaching == 'simcc':
        path = tmp_path / 'teacher.pth'
        torch.save(MODELS.build(network).state_dict(), path)
        config.model.teacher = dict(config=network, checkpoint=str(path))
    if learning == 'simcc':
        config.model = dict(
            network,
            type='FPDDistiller',
            teacher=config.model.teacher,
            data_preprocessor=config.model.data_preprocessor,
        )
    seen = run_with(config, root, tmp_path).view
    assert (seen.support <= seen.score).all() and (seen.score <= 1).all()

    def relabel(people: list[dict]) -> None:
        for person, points in zip(people, seen.teacher, strict=True):
            person.update(joints=(points + 1.0).tolist(), joints_vis=[1] * 16)

    edit(root / TRAIN, relabel)
    again = run_with(config, root, tmp_path)
    assert again.view.support == pytest.approx(again.view.score, rel=0.02)
    assert np.nanmax(again.suspicions.distance) < 1e-3
    assert (again.suspicions.kind == '').all()


def test_a_stored_teacher_says_the_same(mpii_root, tmp_path):
    config = small_config(mpii_root, tmp_path)
    live = analyze(config, tmp_path / 'live', threshold=0).view
    config.model.teacher.cache = str(tmp_path / 'cache.sqlite')
    store_maps(config, config.model.teacher.cache)
    stored = analyze(config, tmp_path / 'stored', threshold=0).view
    assert stored.score == pytest.approx(live.score, abs=0.02)
    same = np.linalg.norm(stored.teacher - live.teacher, axis=-1) < 5
    assert same.mean() > 0.8  # random weights have several peaks of about one height


def test_people_without_labels_are_left_out(root, tmp_path):
    split_people(root, 4, 0)
    mixed = 'quickstart/hg1_32_fpd_unlabeled_drawn.py'
    assert len(analyze(mixed, tmp_path, data=root).people) == 4
    alone = load_config(mixed)
    alone.train_dataloader.dataset = alone.unlabeled
    with pytest.raises(UserError, match='train datasets .* no people with labels'):
        analyze(alone, tmp_path, data=root)


def test_labels_are_brought_to_the_students_joints(root, tmp_path):
    config = load_config(CONFIG)
    plain = run_with(config, root, tmp_path).view
    order = [*range(8), 9, 8, *range(10, 16)]

    def exchange(people: list[dict]) -> None:
        for person in people:
            person['joints'] = [person['joints'][joint] for joint in order]

    edit(root / TRAIN, exchange)
    mapping = list(enumerate(order))
    converter = dict(type='KeypointConverter', num_keypoints=16, mapping=mapping)
    config.train_dataloader.dataset.pipeline.insert(2, converter)
    converted = run_with(config, root, tmp_path).view
    assert (converted.labels == plain.labels).all()
    assert (converted.labeled == plain.labeled).all()


def test_half_a_character_in_a_file_name_does_no_harm(root, tmp_path):
    edit(root / TRAIN, lambda people: people[4].update(image='\ud800\x1b.jpg'))
    report = analyze(CONFIG, tmp_path / 'out', data=root, options=ALL)
    assert [*report.unread] == [4] and str(report).isascii()
    assert '\x1b' not in str(report)


class TestRefusals:
    def test_a_config_without_a_teacher(self, mpii_root, capsys):
        words = ['analyze', 'quickstart/hg2_64_drawn.py', '--data-root', str(mpii_root)]
        with pytest.raises(SystemExit) as exit:
            main(words)
        line = exit.value.code.splitlines()[-1]
        assert line.startswith('error: config "') and 'no model.teacher' in line

    def test_a_split_that_the_config_lacks(self, mpii_root, tmp_path):
        config = load_config(CONFIG)
        config.val_dataloader = None
        with pytest.raises(UserError, match='no val_dataloader'):
            analyze(config, tmp_path, data=mpii_root, split='val')

    def test_a_student_of_another_network(self, mpii_root, tmp_path):
        with pytest.raises(UserError, match='hg2_64_drawn.* does not fit'):
            analyze(CONFIG, tmp_path, data=mpii_root, student=str(TEACHER), options=ALL)

    def test_a_folder_without_images(self, root, tmp_path):
        shutil.rmtree(root / 'images')
        with pytest.raises(UserError, match='no image can be read; the first: image'):
            analyze(CONFIG, tmp_path / 'out', data=root, options=ALL)
        assert not (tmp_path / 'out').exists()


def test_the_command_prints_the_table(mpii_root, tmp_path, capsys):
    main(
        ['analyze', CONFIG, '--data-root', str(mpii_root), '--out', str(tmp_path)]
        + ['--limit', '3', '--pictures', '1', '--workers', '0', '--kpt-thr', '0.1']
        + ['--cfg-options', f'train_dataloader.dataset.ann_file={TRAIN}']
    )
    *_, summary, files = capsys.readouterr().out.splitlines()
    assert summary.startswith('3 people. The teacher contradicts')
    assert files == f'{tmp_path}: analysis.html, people.csv'
    page = (tmp_path / 'analysis.html').read_text(encoding='utf-8')
    assert page.count('<figure>') == 1
