"""Tables and picture of the inference benchmark, of figures that are made up."""

import cv2
import pytest

from benchmarks.inference_chart import save_chart
from benchmarks.inference_costs import InferenceCosts, Missing, Row, Settings
from benchmarks.inference_networks import build_network
from benchmarks.inference_report import as_json, as_markdown, summary
from tests.helpers.reduced import reduced_config


@pytest.fixture()
def costs(tmp_path):
    config = reduced_config('hourglass/hg4_128_mpii.py', tmp_path, tmp_path)
    config.dump(tmp_path / 'student.py')
    network = build_network('student', tmp_path / 'student.py')
    runtime, session = 'ONNX Runtime fp32', 'PoseSession, ONNX Runtime fp32'
    return InferenceCosts(
        [network],
        Settings(['eager', 'onnxruntime', 'int8'], [4], [2]),
        alone=[
            Row('student', 'eager', 'PyTorch eager', 2, 4, [0.4, 0.2, 0.3]),
            Row('student', 'onnxruntime', runtime, 2, 4, [0.1, 0.12, 0.08]),
        ],
        whole=[
            Row('student', 'eager', 'MMPoseInferencer', 2, 4, [0.44]),
            Row('student', 'onnxruntime', session, 2, 4, [0.11]),
        ],
        missing=[Missing('student', 'ONNX Runtime int8', 'a | b')],
        memory=dict(student=dict(eager={1: 900 * 2**20, 4: 1000 * 2**20})),
    )


def test_tables(costs):
    lines = as_markdown(costs).splitlines()
    assert '| network | input | parameters, M | GFLOPs | PyTorch eager, MiB |' in lines
    assert '| student | 64x64 | 0.0 | 0.00 | 900 / 1000 |' in lines
    assert 'Network alone, 2 threads, batch 4:' in lines
    assert (
        '| student | ONNX Runtime fp32 | 100.0 (80.0 to 120.0) | 40.0 | 3.00 |' in lines
    )
    assert '| 2 | 4 | MMPoseInferencer | 440.0 (440.0 to 440.0) | 9.1 | 1.00 |' in lines
    assert '| ONNX Runtime int8 | student | a \\| b |' in lines


def test_the_summary_compares_with_pytorch(costs):
    assert summary(costs) == [
        '2 threads, batch 4: ONNX Runtime fp32 3.0 x PyTorch eager; PoseSession, ONNX '
        'Runtime fp32 4.0 x MMPoseInferencer.'
    ]


def test_json_has_every_time(costs):
    content = as_json(costs)
    assert content['alone'][0]['seconds'] == [0.4, 0.2, 0.3]
    assert content['whole'][1]['people_per_second'] == pytest.approx(4 / 0.11)
    assert content['missing'] == [
        dict(network='student', title='ONNX Runtime int8', reason='a | b')
    ]


def test_the_picture_is_900_pixels_wide(costs, tmp_path):
    save_chart(tmp_path / 'costs.png', costs)
    assert cv2.imread(str(tmp_path / 'costs.png')).shape[1] == 900


def test_there_is_a_picture_even_where_nothing_ran(costs, tmp_path):
    costs.alone, costs.whole = [], []
    save_chart(tmp_path / 'costs.png', costs)
    assert cv2.imread(str(tmp_path / 'costs.png')) is not None
    assert '| not measured |' in as_markdown(costs)
