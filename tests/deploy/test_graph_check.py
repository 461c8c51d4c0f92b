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


@pytest.mark.parametrize('name', ['body', 'then_branch'])
def test_graphs_in_operators_are_refused(name):
    inner = helper.make_graph([], 'inner', [], [])
    for given in (inner, [inner]):
        loop = helper.make_node('Loop', [], ['y'], **{name: given})
        assert 'Loop has a graph inside' in refused(check_graph, content([loop]))


def test_files_that_define_operators_are_refused():
    file = onnx.load_from_string(content([]))
    version = helper.make_opsetid('', 17)
    file.functions.append(helper.make_function('own', 'F', [], [], [], [version]))
    assert 'defines operators' in refused(check_graph, file.SerializeToString())


def test_operators_of_others_are_refused():
    for domain in ('com.microsoft', 'ai.onnx.ml'):
        foreign = helper.make_node('F', ['x'], ['y'], domain=domain)
        message = refused(check_graph, content([foreign]))
        assert f'its F is of "{domain}", not of ONNX' in message


def test_damaged_files_are_refused(tmp_path):
    path = write_decoded(tmp_path / 'cut.onnx')
    path.write_bytes(path.read_bytes()[:-100])
    assert 'cut.onnx" is not an ONNX file' in refused(PoseSession, path)


def message(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def text(number: int) -> bytes:
    return message(number, b'a')


#: Fields that Protocol Buffers takes the last of, or merges, by what has them twice.
TWICE = {
    'graph': message(7, b'') * 2,
    'operator': message(7, message(1, text(4) + message(4, b'Loop'))),
    'domain': message(7, message(1, text(7) * 2)),
    **{
        f'{what} of an attribute': message(7, message(1, message(5, field * 2)))
        for what, field in (
            ('name', text(1)), ('float', b'\x15four'), ('integer', b'\x18\1'),
            ('text', text(4)), ('tensor', message(5, b'')), ('type', b'\xa0\1\7'),
        )
    },
    **{
        f'{what} of a tensor': message(7, message(5, field * 2))
        for what, field in (
            ('type', b'\x10\7'), ('name', text(8)), ('bytes', text(9)),
            ('place', b'\x70\0'),
        )
    },
    'name of an input': message(7, message(11, text(1) * 2)),
}  # fmt: skip


@pytest.mark.parametrize('name', TWICE)
def test_what_a_file_says_twice_is_refused(name):
    assert 'same thing twice' in refused(check_graph, b'\x08\x08' + TWICE[name])


def test_fields_whose_numbers_have_too_many_bits_are_refused():
    smuggled = bytes([0xA2, 0x80, 0x80, 0x80, 0x10, 4]) + b'Loop'  # a 4 in 32 bits
    assert 'damaged' in refused(
        check_graph, b'\x08\x08' + message(7, message(1, smuggled))
    )


def test_types_are_read_as_runtimes_read_them():
    disguised = b'\x10\x87\x80\x80\x80\x10'  # 2^32 more than that of integers
    sizes = disguised + message(8, b'shape') + message(9, np.int64(HUGE).tobytes())
    asked = message(1, message(1, b'shape') + message(4, b'Expand'))
    assert 'asks for a tensor' in refused(
        check_graph, b'\x08\x08' + message(7, message(5, sizes) + asked)
    )


@pytest.mark.parametrize(
    'start', [b'', b'\n\6<net/>', b'\x12\x50\0\0ORTM', b'\x08\x88\x80\0ORTM']
)
def test_files_that_begin_as_another_format_are_refused(start):
    assert 'does not begin' in refused(check_graph, start and start + content([]))


def test_tensors_of_texts_are_refused():
    texts = helper.make_tensor('texts', TensorProto.STRING, [1], [b'a'])
    assert 'with texts' in refused(check_graph, content([], [texts]))
    assert 'with texts' in refused(check_graph, content([constant(value=texts)]))


def test_weights_in_other_files_are_refused(tmp_path):
    named, placed = tensor([1]), tensor([1])
    named.external_data.add(key='location', value='other.bin')
    placed.data_location = TensorProto.EXTERNAL
    for each in (named, placed):
        filled = helper.make_node('ConstantOfShape', ['shape'], ['y'], value=each)
        for file in (content([], [each]), content([filled])):
            assert 'weights in other files' in refused(check_graph, file)
    (tmp_path / 'a.onnx').write_bytes(content([], [named]))
    message = refused(PoseSession, tmp_path / 'a.onnx')
    assert 'a.onnx"' in message and 'weights in other files' in message


def test_sparse_tensors_are_refused():
    one = helper.make_tensor('one', TensorProto.FLOAT, [1], [1.0])
    sparse = helper.make_sparse_tensor(one, tensor([0]), HUGE)
    file = onnx.load_from_string(content([]))
    file.graph.sparse_initializer.append(sparse)
    assert 'sparse' in refused(check_graph, file.SerializeToString())
    assert 'sparse' in refused(check_graph, content([constant(sparse_value=sparse)]))


def test_a_convolution_says_the_size_of_its_window():
    message = refused(check_graph, content([asking('Conv')]))
    assert 'Conv has no kernel_shape' in message
