"""The chart of accuracy against time, with the published numbers and made-up times."""

import cv2
import pytest

import draw_speed_chart
from benchmarks.timing import Timed
from draw_speed_chart import CONFIGS, Published, main, read_published
from fpd_mmpose.errors import UserError


def test_published_values_are_those_of_the_metafiles():
    found = {name: read_published(config) for name, config in CONFIGS.items()}
    student = CONFIGS['HRNet-W32']
    # As in the README of the reference, and in MMPose's table of RTMPose.
    assert found['HRNet-W32 with FPD'] == Published(0.751, 'the FPD reference', student)
    assert found['HRNet-W32'] == Published(0.744, 'the FPD reference', student)
    rtmpose = CONFIGS['RTMPose-t']
    assert found['RTMPose-t'] == Published(0.682, 'MMPose', rtmpose)


def test_a_config_without_a_published_ap_is_refused():
    with pytest.raises(UserError, match='res50_coco_256x192.py" has a published AP'):
        read_published('configs/resnet/res50_coco_256x192.py')


def test_the_command_draws_and_prints_all_networks(tmp_path, monkeypatch, capsys):
    def measure(configs):
        return {one: Timed(one, [n / 100, n / 50]) for n, one in enumerate(configs, 1)}

    monkeypatch.setattr(draw_speed_chart, 'measure', measure)
    main(['--out', str(tmp_path / 'chart.png')])
    assert cv2.imread(str(tmp_path / 'chart.png')).std() > 10
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line.split(' | ')[0][2:] for line in lines] == list(CONFIGS)
