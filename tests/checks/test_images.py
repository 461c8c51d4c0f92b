"""The check finds damaged images, and joints and boxes outside them."""

import shutil

import pytest

from fpd_mmpose.checks import check
from tests.helpers.check_data import TRAIN, VAL, config_of, edit, image_of, only

# --- Images ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (lambda path: path.unlink(), 'images that are missing: 1,'),
        (lambda path: path.write_bytes(b''), 'images that are empty files: 1,'),
        (
            lambda path: path.write_bytes(b'<html>'),
            'cannot be opened (truncated, or not images): 1,',
        ),
        (
            lambda path: path.write_bytes(path.read_bytes()[:-100]),
            'cannot be opened (truncated, or not images): 1,',
        ),
    ],
    ids=['missing', 'empty', 'not an image', 'truncated'],
)
def test_a_damaged_image_is_a_problem(root, damage, message):
    path = image_of(root, TRAIN, 5)
    damage(path)
    report = check(config_of(root))
    problem = only(report.problems)
    assert message in problem and f'record 5 (id 5, "{path}")' in problem
    assert report.sections['train']['opened images'] == '11 of 12'


def test_joints_outside_their_image(root):
    def move(people):
        for record, x in ((2, 230.0), (3, -40.0)):
            people[record]['joints'][9] = [x, 100.0]
            people[record]['joints_vis'][9] = 1
        people[4]['joints'][8] = [500.0, 500.0]
        people[4]['joints_vis'][8] = 0

    edit(root / TRAIN, move)
    report = check(config_of(root))
    warning = only(report.warnings)
    assert warning.startswith('train: 2 of ') and 'in 2 records' in warning
    # 1-based in the file.
    assert 'by 41.0 px, is joint 9 of record 3 ' in warning
    assert not report.problems


def test_a_joint_at_the_edge_is_inside(root):
    def move(people):
        people[2]['joints'][9:11] = [[200.0, 200.0], [1.0, 1.0]]
        people[2]['joints_vis'][9:11] = [1, 1]

    edit(root / TRAIN, move)
    assert not check(config_of(root)).warnings


def test_a_box_outside_its_image(root):
    edit(root / VAL, lambda people: people[1].update(center=[900.0, 900.0]))
    report = check(config_of(root))
    assert report.sections['val, test']['boxes off their image'] == 1
    # The check itself only warns; the pipeline raises an error.
    assert 'boxes outside their image: 1,' in only(report.warnings)
    assert 'val, test: the pipeline fails on record 1: ' in only(report.problems)


def test_an_image_under_two_names(root):
    shutil.copy(image_of(root, TRAIN, 1), image_of(root, TRAIN, 2))
    warning = only(check(config_of(root)).warnings)
    assert (
        'train: opened images that are copies of others under another name: 1,'
        in warning
    )
    assert image_of(root, TRAIN, 2).name in warning


# --- Leaks -------------------------------------------------------------------------


def test_a_training_image_in_the_validation_set_by_name(root):
    name = image_of(root, TRAIN, 3).name
    edit(root / VAL, lambda people: people[2].update(image=name))
    for num_images in (1, None):
        warning = only(check(config_of(root), images=num_images).warnings)
        assert 'images in both train and val, test: 1,' in warning
        assert name in warning


def test_a_training_image_in_the_validation_set_by_content(root):
    shutil.copy(image_of(root, TRAIN, 3), image_of(root, VAL, 2))
    warning = only(check(config_of(root)).warnings)
    assert 'copies of training images under another name: 1,' in warning
    for path in (image_of(root, TRAIN, 3), image_of(root, VAL, 2)):
        assert f'"{path}"' in warning
