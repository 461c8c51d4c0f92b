"""The quick start."""

import json
from functools import partial

import cv2
import pytest
from mmpose.registry import MODELS

from fpd_mmpose.cli import main as fpd
from fpd_mmpose.config import config_root, load_config
from fpd_mmpose.evaluation.mpii_pckh import SCORES
from fpd_mmpose.quickstart.run import result_table
from fpd_mmpose.quickstart.stages import COMPARED, STAGES, stage_config
from fpd_mmpose.weights import read_state_dict

main = partial(fpd, command='quickstart')
FEW = ['--people', '32', '--held-out', '8', '--epochs', '1']


@pytest.fixture(scope='module')
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp('quickstart')
    main(['--out', str(folder), *FEW])
    return folder


def test_it_saves_weights_that_match_the_configs(out):
    for stage in STAGES:
        model = load_config(stage.config).model
        model.type = 'TopdownPoseEstimator'
        model.pop('teacher', None), model.pop('distill_loss', None)
        weights = read_state_dict(str(out / f'{stage.name}.pth'))
        MODELS.build(model).load_state_dict(weights, strict=True)


def test_it_saves_the_table_of_the_reference(out):
    rows = json.loads((out / 'results.json').read_text())
    assert [row['label'] for row in rows] == [stage.label for stage in COMPARED]
    for row in rows:
        assert list(row['scores']) == [
            'Head', 'Shoulder', 'Elbow', 'Wrist', 'Hip', 'Knee', 'Ankle',
            'Mean', 'Mean@0.1',
        ]  # fmt: skip
        assert row['milliseconds'] > 0
    assert rows[0]['parameters'] > rows[1]['parameters'] == rows[2]['parameters']
    assert (out / 'results.md').read_text().strip() == result_table(rows)


def test_it_saves_images(out):
    for name in ('predictions.jpg', 'curves.png'):
        image = cv2.imread(str(out / name))
        assert image is not None and image.std() > 10


def test_a_second_run_reuses_the_networks(out, capsys):
    before = {s.name: (out / f'{s.name}.pth').stat().st_mtime_ns for s in STAGES}
    main(['--out', str(out), *FEW])
    after = {s.name: (out / f'{s.name}.pth').stat().st_mtime_ns for s in STAGES}
    assert after == before
    assert capsys.readouterr().out.count('trained already') == len(STAGES)


def test_both_students_have_the_same_start_steps_and_data(tmp_path):
    _, plain, distilled = (stage_config(s, tmp_path, None, 0) for s in COMPARED)
    for key in ('train_cfg', 'optim_wrapper', 'param_scheduler', 'train_dataloader'):
        assert plain[key] == distilled[key], key
    assert plain.randomness == distilled.randomness
    assert plain.load_from == distilled.load_from == str(tmp_path / 'start.pth')


def test_epochs_must_be_positive(capsys):
    with pytest.raises(SystemExit):
        main(['--epochs', '0'])
    assert '--epochs: must be 1 or more, got 0' in capsys.readouterr().err


def test_the_table_is_aligned_markdown():
    row = dict(label='x', parameters=60416, milliseconds=8.94)
    row['scores'] = dict.fromkeys(SCORES, 12.345)
    header, rule, line = result_table([row]).splitlines()
    assert len(header) == len(rule) == len(line)
    assert '0.06 M' in line and '8.9' in line and '12.3' in line


def test_its_configs_are_in_the_package():
    for stage in STAGES:
        assert (config_root().parent / stage.config).is_file()
