"""The command that times inference, on reduced networks."""

import importlib.util
import io
import json
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import cv2
import pytest
import torch
import torch._inductor.config

from benchmarks import inference, inference_files
from benchmarks.inference import measure_inference
from benchmarks.inference_costs import Settings
from benchmarks.inference_networks import PEERS, build_network
from benchmarks.timing import time_in_bursts
from fpd_mmpose.export.int8 import search
from tests.helpers import ROOT
from tests.helpers.reduced import reduced_config
from tests.helpers.rounding import NETWORK

TOOL = ROOT / 'dev' / 'benchmark_inference.py'


def command(*arguments: object) -> None:
    spec = importlib.util.spec_from_file_location('benchmark_inference', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main([str(one) for one in arguments])


def dumped(folder: Path, name: str, **size: int) -> str:
    config = reduced_config('hourglass/hg4_128_mpii.py', folder, folder, **size)
    path = folder / f'{name}.py'
    config.dump(path)
    return str(path)


@pytest.fixture(scope='module', autouse=True)
def quick() -> Iterator[None]:
    """Calls each way once a round, and looks little for layers to keep in float32."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inference, 'time_in_bursts', partial(time_in_bursts, least=0))
        patch.setattr(inference_files, '_MANY', 8)
        patch.setattr(search, 'PARTS', 2)
        yield


@pytest.fixture(scope='module')
def student(tmp_path_factory):
    folder = tmp_path_factory.mktemp('student')
    return dumped(folder, 'student', stacks=1, features=8)


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    folder = tmp_path_factory.mktemp('teacher')
    return dumped(folder, 'teacher', stacks=1, features=16)


@pytest.fixture(scope='module')
def measured(student, teacher, tmp_path_factory):
    """The files of one run, and what it printed."""
    folder = tmp_path_factory.mktemp('measured')
    checkpoint = folder / 'teacher.pth'
    model = build_network('teacher', teacher).model
    torch.save(model.state_dict(), checkpoint)
    files = folder / 'costs.json', folder / 'costs.png'
    with redirect_stdout(io.StringIO()) as printed:
        command(
            '--student', student, '--teacher', teacher, checkpoint, '--peers',
            '--engines', 'eager', 'onnxruntime', 'int8', 'openvino', '--no-memory',
            '--batch-size', 1, 2, 1, '--threads', 1, '--rounds', 2,
            '--json', files[0], '--png', files[1],
        )  # fmt: skip
    return json.loads(files[0].read_text()), files[1], printed.getvalue()


def test_every_engine_runs_each_network_in_each_condition(measured):
    costs, _, _ = measured
    rows = costs['alone']
    for network, engine in (
        ('student', 'eager'),
        ('student', 'onnxruntime'),
        ('student', 'int8'),
        ('teacher', 'eager'),
        ('teacher', 'onnxruntime'),
    ):
        own = [r for r in rows if (r['network'], r['engine']) == (network, engine)]
        assert [(row['threads'], row['batch']) for row in own] == [(1, 1), (1, 2)]
        assert all(len(row['seconds']) == 2 for row in own)
        assert all(row['ms'] > 0 and row['people_per_second'] > 0 for row in own)


def test_engines_compute_what_pytorch_does(measured):
    costs, _, _ = measured
    # 8 bits, which bfloat16 has too, where OpenVINO chooses it, are right to 1/128. The
    # errors of about 100 layers are up and down: 10 times as much.
    limits = dict(eager=NETWORK, onnxruntime=NETWORK, int8=0.1, openvino=0.1)
    for row in costs['alone']:
        assert row['difference'] < limits[row['engine']], row['title']


def test_pipelines_find_the_same_keypoints(measured):
    costs, _, _ = measured
    titles = [row['title'] for row in costs['whole']]
    assert titles[:3] == ['MMPose inference_topdown'] * 2 + ['MMPoseInferencer']
    for row in costs['whole']:
        if row['engine'] in ('eager', 'onnxruntime'):
            assert row['difference'] < 0.1, row['title']


def test_where_and_what_was_measured_is_kept(measured):
    costs, _, _ = measured
    assert costs['settings']['rounds'] == 2
    assert torch.__version__.startswith(costs['versions']['torch'])
    assert costs['processor']
    student, teacher = costs['networks']
    assert student['checkpoint'] is None
    assert teacher['checkpoint'].endswith('teacher.pth')
    assert student['input_size'] == [64, 64]
    assert 0 < student['params'] < teacher['params']
    assert 0 < student['gflops'] < teacher['gflops']


def test_the_tables_and_the_picture_show_it(measured):
    _, picture, printed = measured
    assert 'Network alone, 1 thread, batch 2:' in printed
    assert '| student | ONNX Runtime int8 |' in printed
    assert '| 1 | 2 | PoseSession, ONNX Runtime fp32 |' in printed
    assert cv2.imread(str(picture)).shape[:2] >= (400, 900)


@pytest.mark.skipif(find_spec('openvino') is not None, reason='OpenVINO is installed')
def test_an_engine_that_is_not_there_is_a_row_with_the_reason(measured):
    costs, _, printed = measured
    assert (
        dict(
            network='teacher',
            title='OpenVINO',
            reason='not installed: pip install openvino',
        )
        in costs['missing']
    )
    assert '| OpenVINO | student, teacher | not installed: pip install' in printed


@pytest.mark.skipif(find_spec('openvino') is None, reason='OpenVINO is not installed')
def test_openvino_says_its_precision(measured):
    costs, _, _ = measured
    titles = {r['title'] for r in costs['alone'] if r['engine'] == 'openvino'}
    assert 'OpenVINO f32' in titles


@pytest.mark.process
@pytest.mark.slow
def test_the_memory_of_a_process_is_measured(student):
    network = build_network('student', student)
    settings = Settings(['eager', 'onnxruntime'], [2, 1], [1], rounds=1)
    costs = measure_inference([network], settings, str)
    memory = costs.memory['student']
    assert list(memory) == ['eager', 'onnxruntime']
    assert [list(one) for one in memory.values()] == [[1, 2], [1, 2]]
    # That of ONNX Runtime has nothing of PyTorch in it.
    assert memory['onnxruntime'][2] < memory['eager'][1] / 2
    assert not costs.missing


@pytest.mark.slow
def test_a_compiled_network_runs_for_the_smallest_batch(tmp_path, monkeypatch):
    # It would start processes to try what the processor knows.
    monkeypatch.setattr(torch._inductor.config.cpp, 'vec_isa_ok', False)
    monkeypatch.setattr(torch._inductor.config, 'compile_threads', 1)
    network = build_network('student', tiny(tmp_path))
    settings = Settings(['eager', 'compiled'], [1, 2], [1], rounds=1, memory=False)
    costs = measure_inference([network], settings, str)
    compiled = [row for row in costs.alone if row.engine == 'compiled']
    if not compiled:
        pytest.skip(f'no compiler: {costs.missing[0].reason}')
    assert [row.batch for row in compiled] == [1]


@pytest.mark.slow
@pytest.mark.parametrize('name', PEERS)
def test_peers_are_mmposes_own(name):
    peer = build_network(name, PEERS[name])
    rtm = name.startswith('rtmpose')
    assert peer.input_size == ((192, 256) if rtm else (256, 256))
    assert peer.has_vectors == rtm
    assert peer.run(peer.crops(2)).shape[:2] == (2, 17 if rtm else 16)


def tiny(folder: Path) -> str:
    """A network of two layers: a compiler takes seconds for each."""
    config = reduced_config('resnet/res50_mpii.py', folder, folder)
    config.model.backbone = dict(
        type='VGG', depth=11, num_stages=1, dilations=(1,), out_indices=(0,)
    )
    config.model.head.update(in_channels=64, deconv_out_channels=None)
    config.dump(folder / 'tiny.py')
    return str(folder / 'tiny.py')


def test_a_student_with_simcc_is_measured_in_posesession_too():
    network = build_network('student', PEERS['rtmpose-t'])
    settings = Settings(['onnxruntime'], [1], [1, 2], rounds=1, memory=False)
    costs = measure_inference([network], settings, str)
    assert [row.title for row in costs.alone] == ['ONNX Runtime fp32'] * 2
    assert [row.threads for row in costs.alone] == [1, 2]
    assert costs.missing == []


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--peers', 'vgg'], 'network "vgg" is unknown: use mobilenetv2, '),
        (['--engines', 'tvm'], 'engine "tvm" is unknown: use eager, '),
        (['--student', 'none.py'], 'config "none.py" does not exist'),
        (['--batch-size', '999'], '999 people do not fit'),
    ],
)
def test_invalid_choices_are_one_line_errors(student, arguments, message):
    common = ['--student', student, '--teacher', '--peers']
    with pytest.raises(SystemExit, match=f'error: {re.escape(message)}'):
        command(*common, *arguments)


def test_a_checkpoint_of_another_network_is_one_line(student, teacher, tmp_path):
    checkpoint = tmp_path / 'student.pth'
    torch.save(build_network('student', student).model.state_dict(), checkpoint)
    with pytest.raises(SystemExit, match='student.pth" does not fit the network of'):
        command('--student', student, '--peers', '--teacher', teacher, checkpoint)


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--threads', '0'], '--threads must be positive, got 0'),
        (['--student', 'a', 'b', 'c'], '--student takes a config and at most one'),
    ],
)
def test_invalid_options_are_usage_errors(capsys, arguments, message):
    with pytest.raises(SystemExit):
        command(*arguments)
    assert message in capsys.readouterr().err
