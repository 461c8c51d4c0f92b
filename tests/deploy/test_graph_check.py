"""ONNX files of a few bytes that ask for gigabytes, or for ever, are refused."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from fpd_mmpose.deploy import PoseSession
from fpd_mmpose.deploy.graph_check import check_graph
from tests.helpers.exported import write_decoded
from tests.helpers.refusals import refused

HUGE = [1 << 20, 1 << 20]


def content(nodes: list, constants: list = ()) -> bytes:
    graph = helper.make_graph(nodes, 'graph', [], [], list(constants))
    return helper.make_model(graph).SerializeToString()


def constant(**given) -> onnx.NodeProto:
    return helper.make_node('Constant', [], ['shape'], **given)


def tensor(sizes: list, raw: bool = False) -> onnx.TensorProto:
    numbers = np.int64(sizes).tobytes() if raw else sizes
    return helper.make_tensor('shape', TensorProto.INT64, [len(sizes)], numbers, raw)


def asking(kind: str) -> onnx.NodeProto:
    return helper.make_node(kind, ['shape'], ['large'])


@pytest.mark.parametrize(
    'nodes, constants',
    [
        ([asking('ConstantOfShape')], [tensor(HUGE)]),
        ([asking('ConstantOfShape')], [tensor(HUGE, raw=True)]),
        ([constant(value=tensor(HUGE)), asking('Expand')], []),
        ([constant(value_ints=HUGE), asking('Tile')], []),
        ([helper.make_node('RandomNormal', [], ['large'], shape=HUGE)], []),
    ],
)
def test_a_tensor_of_terabytes_is_refused(nodes, constants):
    assert 'asks for a tensor of [1048576, 1048576]' in refused(
        check_graph, content(nodes, constants)
    )


def test_usual_sizes_are_accepted(tmp_path):
    check_graph(content([asking('ConstantOfShape')], [tensor([8, 3, 256, 256])]))
    check_graph(write_decoded(tmp_path / 'a.onnx').read_bytes())


def test_loops_and_damaged_files_are_refused(tmp_path):
    assert 'run forever' in refused(check_graph, content([asking('Loop')]))
    path = write_decoded(tmp_path / 'cut.onnx')
    path.write_bytes(path.read_bytes()[:-100])
    assert 'cut.onnx" is not an ONNX file' in refused(PoseSession, path)
