"""The input side is measured with the transforms that training uses."""

import json
import runpy

import pytest
from PIL import Image

from benchmarks.input_report import as_markdown, save_chart
from benchmarks.input_side import HERE, OTHER, STACK, InputSide, Spread, measure_input
from benchmarks.input_stages import DECODE, READ
from benchmarks.reduced_decode import ReducedDecode
from fpd_mmpose.config import config_root, load_config
from fpd_mmpose.errors import UserError
from fpd_mmpose.files import write_json
from tests.helpers import ROOT

COMMAND = ROOT / 'dev' / 'benchmark_input.py'
CONFIG = 'configs/hourglass/hg4_128_mpii.py'


@pytest.fixture(scope='module')
def measured() -> InputSide:
    """Results for drawn people, since the config's data are missing."""
    return measure_input(
        load_config(CONFIG), 4, 2, [0, 1], image_size=(200, 120), step_seconds=0.5
    )


def test_the_images_have_the_requested_size(measured):
    assert measured.image_size == (200, 120)
    assert measured.people == measured.batch_size == 4


def test_every_stage_is_timed_beside_mmpose(measured):
    stages = measured.stages[HERE]
    assert list(stages) == list(measured.stages[OTHER])
    assert {READ, DECODE, 'FPDTopdownAffine', 'GenerateTarget', STACK} <= set(stages)
    for one in stages.values():
        assert 0 <= one.low <= one.median <= one.high


def test_the_loader_is_timed_with_each_number_of_workers(measured):
    for side in (HERE, OTHER):
        assert list(measured.rates[side]) == [0, 1]
        assert all(one.low > 0 for one in measured.rates[side].values())


def test_the_step_consumes_a_batch(measured):
    assert measured.consumed == 8


def test_the_people_of_the_config_are_read_where_they_are(mpii_root):
    config = load_config(CONFIG)
    config.train_dataloader.dataset.data_root = str(mpii_root)
    found = measure_input(config, 50, 1, [0])
    assert (found.people, found.image_size) == (12, (200, 200))
    assert found.consumed is None


def test_a_pipeline_without_our_transforms_is_timed_alone(mpii_root):
    config = load_config(CONFIG)
    dataset = config.train_dataloader.dataset
    dataset.update(data_root=str(mpii_root), pipeline=[dict(type='LoadImage')])
    dataset.pipeline += [dict(type='PackPoseInputs')]
    assert list(measure_input(config, 4, 1, [0]).stages) == [HERE]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(people=3), 'people must be 4 or more, got 3'),
        (dict(repeats=0), 'repeats must be 1 or more, got 0'),
        (dict(workers=[1, -1]), 'workers must be 0 or more, got -1'),
        (dict(workers=[]), 'workers must be 0 or more, got -1'),
        (dict(step_seconds=0), 'step_seconds must be positive, got 0'),
    ],
)
def test_invalid_numbers_are_one_line_errors(arguments, message):
    with pytest.raises(UserError, match=message):
        measure_input(load_config(CONFIG), **arguments)


def test_people_are_drawn_for_mpii_only():
    config = load_config('configs/hrnet/hrnet_w32_coco_256x192.py')
    with pytest.raises(
        UserError, match='person_keypoints_train2017.json" is missing'
    ) as info:
        measure_input(config)
    assert '\n' not in str(info.value)


# --- The report --------------------------------------------------------------------

FIGURES = InputSide(
    people=8,
    batch_size=4,
    image_size=(1280, 720),
    stages={
        HERE: {DECODE: Spread(3.0, 2.5, 4.0), STACK: Spread(1.0, 1.0, 1.0)},
        OTHER: {DECODE: Spread(5.0, 4.5, 6.0), STACK: Spread(1.0, 1.0, 1.0)},
    },
    rates={HERE: {0: Spread(320, 300, 330)}, OTHER: {0: Spread(190, 180, 200)}},
    reduced=ReducedDecode(0.75, 3.0, 2.0, 1.5),
    step_seconds=0.005,
)


def test_the_tables():
    text = as_markdown(FIGURES)
    assert '| decode | 3.000 (2.500 to 4.000) | 5.000 (4.500 to 6.000) |' in text
    assert '| sum | 3.000 | 5.000 |' in text, 'without the part of the step'
    assert '| no worker | 320 (300 to 330) | 190 (180 to 200) |' in text
    assert 'consumes 800.0 people per second' in text
    assert 'delivers 333, so 3 keep up' in text
    assert '75% of these people' in text


def test_the_files(tmp_path):
    write_json(tmp_path / 'a.json', FIGURES.as_dict(), indent=1)
    found = json.loads((tmp_path / 'a.json').read_text())
    assert found['stages'][HERE][DECODE]['median'] == 3
    assert found['consumed'] == 800
    save_chart(tmp_path / 'a.png', FIGURES)
    assert Image.open(tmp_path / 'a.png').width == 900


def test_the_command(mpii_root, tmp_path, capsys):
    config = tmp_path / 'config.py'
    config.write_text(
        f"_base_ = ['{config_root().parent / CONFIG}']\n"
        f"train_dataloader = dict(dataset=dict(data_root='{mpii_root}/'))\n"
    )
    files = [tmp_path / 'a.json', tmp_path / 'a.png']
    runpy.run_path(str(COMMAND))['main'](
        [str(config), *'--people 4 --repeats 1 --workers 0'.split()]
        + ['--json', str(files[0]), '--png', str(files[1])]
    )
    assert '| FPDTopdownAffine |' in capsys.readouterr().out
    assert all(path.is_file() for path in files)


@pytest.mark.parametrize('size', ['1280', '1280x', 'axb', '-1x5'])
def test_an_invalid_size_is_a_usage_error(size, capsys):
    with pytest.raises(SystemExit):
        runpy.run_path(str(COMMAND))['main']([CONFIG, f'--image-size={size}'])
    assert f'expected WIDTHxHEIGHT, got "{size}"' in capsys.readouterr().err
