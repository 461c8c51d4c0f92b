"""ONNX files in their runtimes."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from fpd_mmpose.deploy.runtimes import OnnxRuntimeNetwork, load_network
from fpd_mmpose.errors import UserError
from tests.helpers.exported import INFO, small_network, write_decoded, write_small


def test_a_network_has_metadata_and_shapes(tmp_path):
    network = load_network(write_decoded(tmp_path / 'student.onnx'), threads=1)
    assert network.inputs == {'image': ['batch', 48, 32, 3]}
    assert network.outputs == {'keypoints': ['batch', 3, 2], 'scores': ['batch', 3]}
    assert network.properties.keys() == INFO.to_metadata().keys()
    found = network(np.full((2, 48, 32, 3), 7, np.uint8))
    np.testing.assert_allclose(found['scores'], np.full((2, 3), 7))


@pytest.mark.parametrize('content', [b'', b'no network', b'\x08\x08' * 400, None])
def test_other_files_are_errors_of_one_line(tmp_path, content):
    path = tmp_path / 'student.onnx'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match='student.onnx" is not') as caught:
        load_network(path)
    assert '\n' not in str(caught.value)


def test_a_truncated_file_is_an_error_of_one_line(tmp_path):
    path = write_decoded(tmp_path / 'student.onnx')
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UserError, match='student.onnx') as caught:
        load_network(path)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    'providers', [['GpuOfTomorrow'], [('GpuOfTomorrow', dict(device_id=0))]]
)
def test_a_missing_provider_is_an_error(tmp_path, providers):
    path = write_decoded(tmp_path / 'student.onnx')
    with pytest.raises(UserError, match='no GpuOfTomorrow here.*CPUExecutionProvider'):
        load_network(path, providers=providers)


def test_a_provider_can_have_settings(tmp_path):
    provider = ('CPUExecutionProvider', dict(use_arena=0))
    network = OnnxRuntimeNetwork(
        write_decoded(tmp_path / 'student.onnx'), providers=[provider]
    )
    assert network(np.zeros((1, 48, 32, 3), np.uint8)).keys() == {'keypoints', 'scores'}


def test_openvino_has_no_providers(tmp_path):
    path = write_decoded(tmp_path / 'student.onnx')
    with pytest.raises(UserError, match='`providers` are for ONNX Runtime'):
        load_network(path, 'openvino', providers=['CPUExecutionProvider'])


@pytest.mark.parametrize(
    'backend', ['onnxruntime', *(['openvino'] if find_spec('openvino') else [])]
)
def test_a_file_is_read_once(tmp_path, monkeypatch, backend):
    path = write_decoded(tmp_path / 'student.onnx')
    read = Path.read_bytes

    def read_and_replace(self):
        content = read(self)
        self.write_bytes(b'another file')
        return content

    monkeypatch.setattr(Path, 'read_bytes', read_and_replace)
    network = load_network(path, backend, threads=1)
    assert network.outputs.keys() == {'keypoints', 'scores'}


@pytest.mark.skipif(find_spec('openvino') is not None, reason='OpenVINO is installed')
def test_the_error_says_how_to_install_openvino(tmp_path):
    path = write_decoded(tmp_path / 'student.onnx')
    with pytest.raises(UserError, match='pip install openvino'):
        load_network(path, 'openvino')


@pytest.mark.skipif(find_spec('openvino') is None, reason='OpenVINO is not installed')
def test_openvino_computes_the_heatmaps_of_onnx_runtime(tmp_path):
    model, info = small_network(tmp_path)
    path = write_small(model, info, tmp_path / 'student.onnx')
    batch = np.random.randn(3, 3, 64, 64).astype(np.float32)
    expected, found = (
        load_network(path, backend, threads=1)
        for backend in ('onnxruntime', 'openvino')
    )
    assert found.properties == expected.properties
    # OpenVINO computes in bfloat16 where the CPU supports it.
    heatmaps = expected(batch)['heatmaps']
    difference = np.abs(found(batch)['heatmaps'] - heatmaps).max()
    assert difference < 0.02 * np.abs(heatmaps).max()
