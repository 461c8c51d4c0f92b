"""The benchmark's command, on a reduced config."""

import json

import cv2
import pytest

from benchmarks.distill import FLOOR, PLAIN, REFERENCE
from benchmarks.distill_report import as_markdown, summary
from benchmarks.timing import Timed
from tests.helpers import ROOT
from tests.helpers.reduced import reduced_distiller


def command():
    import importlib.util

    path = ROOT / 'dev' / 'benchmark_distill.py'
    spec = importlib.util.spec_from_file_location('benchmark_distill', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture()
def config_file(mpii_root, tmp_path):
    config = reduced_distiller(mpii_root, tmp_path, stacks=1, features=8)
    path = tmp_path / 'reduced.py'
    config.dump(path)
    return path


@pytest.mark.parametrize('precision', ['fp32', 'bf16'])
def test_it_times_every_way_and_writes_table_json_and_picture(
    precision, config_file, tmp_path, capsys
):
    files = tmp_path / 'out.json', tmp_path / 'out.png'
    command()(
        [
            str(config_file),
            '--repeats',
            '2',
            '--batch-size',
            '2',
            '--device',
            'cpu',
            '--precision',
            precision,
            '--json',
            str(files[0]),
            '--png',
            str(files[1]),
        ]  # fmt: skip
    )
    shown = capsys.readouterr().out
    written = json.loads(files[0].read_text())
    names = [way['name'] for way in written['ways']]
    assert names == [
        PLAIN, f'{PLAIN}, channels_last', REFERENCE, 'FPD, speed=exact',
        'FPD, speed=auto, channels_last', 'FPD, stored teacher, channels_last',
        'teacher, speed=exact', 'teacher, speed=auto', FLOOR,
    ]  # fmt: skip
    assert all(f'| {name} |' in shown for name in names)
    assert all(len(way['seconds']) == 2 for way in written['ways'])
    assert written['ways'][0]['memory_bytes'] > 1e6
    assert cv2.imread(str(files[1])).shape[0] > 100


def test_a_config_without_a_teacher_is_a_one_line_error():
    with pytest.raises(SystemExit, match='is not a distillation'):
        command()(['configs/hourglass/hg4_128_mpii.py'])


def test_the_table_compares_with_plain_training_and_the_floor():
    timed = [
        Timed(PLAIN, [1.0, 1.2, 1.1]),
        Timed(REFERENCE, [6.6, 6.6, 6.6]),
        Timed('FPD, speed=auto', [2.2, 2.0, 2.4], memory=2**20),
        Timed('FPD, stored teacher', [1.2, 1.1, 1.0]),
        Timed(FLOOR, [2.0, 2.0, 2.0]),
    ]
    row = as_markdown(timed).splitlines()[4]
    assert row == '| FPD, speed=auto | 2.200 | 2.000 to 2.400 | 2.00 | 1.10 | 1 |'
    assert summary(timed) == (
        '"FPD, speed=auto" is 3.0 x as fast as the reference\'s way, and takes 1.10 x '
        'the floor\n"FPD, stored teacher" takes 1.00 x "plain student"'
    )
