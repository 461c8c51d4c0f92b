"""ONNX files of a few bytes that ask for gigabytes, or for ever, are refused."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from fpd_mmpose.deploy import PoseSession
from fpd_mmpose.deploy.graph_check import check_graph
from fpd_mmpose.deploy.runtimes import OnnxRuntimeNetwork
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
        assert 'graph in a Loop' in refused(check_graph, content([loop]))


def test_files_that_define_operators_are_refused():
    file = onnx.load_from_string(content([]))
    version = helper.make_opsetid('', 17)
    file.functions.append(helper.make_function('own', 'F', [], [], [], [version]))
    assert 'defines operators' in refused(check_graph, file.SerializeToString())


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


# --- Sizes that no single node names -------------------------------------------------


def node(kind: str, inputs: str, output: str, **options) -> onnx.NodeProto:
    return helper.make_node(kind, inputs.split(), [output], **options)


FILLED = node('ConstantOfShape', 'million', 'a')
CHAINS = {
    'Tile of Tile': [
        FILLED, node('Tile', 'a thousand', 'b'), node('Tile', 'b thousand', 'y'),
    ],
    'Expand of Tile': [
        FILLED, node('Tile', 'a thousand', 'b'),
        node('Unsqueeze', 'b zero', 'c'), node('Expand', 'c column', 'y'),
    ],
    'outer product': [
        FILLED, node('Unsqueeze', 'a zero', 'b'), node('Unsqueeze', 'a one', 'c'),
        node('Mul', 'b c', 'y'),
    ],
    'Concat': [FILLED, *(
        node('Concat', f'{a} {a} {a} {a}', b, axis=0)
        for a, b in ('ab', 'bc', 'cd', 'dy')
    )],
    'many at once': [
        FILLED, *(node('Tile', 'a hundred', f'b{n}') for n in range(9)),
        node('Identity', 'b0', 'y'),
    ],
    'Resize of the input': [node('Resize', 'input  factors', 'y')],
    'Resize of Resize': [
        node('Resize', 'input  smaller', 'a'), node('Resize', 'a  smaller', 'y'),
    ],
    'computed size': [
        node('Mul', 'million million', 'a'), node('ConstantOfShape', 'a', 'y'),
    ],
    'computed repeats': [
        FILLED, node('Add', 'million thousand', 'b'), node('Tile', 'a b', 'y'),
    ],
}  # fmt: skip


def written(nodes: list, path) -> str:
    """Writes a file whose nodes may name some sizes and factors."""
    whole = dict(
        million=[1 << 20], thousand=[1 << 10], hundred=[100], zero=[0], one=[1],
        column=[1 << 10, 1],
    )  # fmt: skip
    factors = dict(factors=[1, 1, 1e3, 1e3], smaller=[1, 1, 60, 60])
    values = [
        helper.make_tensor(name, TensorProto.INT64, [len(each)], each)
        for name, each in whole.items()
    ] + [
        helper.make_tensor(name, TensorProto.FLOAT, [len(each)], each)
        for name, each in factors.items()
    ]
    given, found = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (('input', ['batch', 3, 48, 32]), ('y', None))
    )
    for each in nodes:  # an input that is left out has no name
        if each.op_type == 'Resize':
            each.input[:] = [each.input[0], '', each.input[-1]]
    graph = helper.make_graph(nodes, 'graph', [given], [found], values)
    file = helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8
    )
    path.write_bytes(file.SerializeToString())
    return str(path)


@pytest.mark.parametrize('name', CHAINS)
def test_sizes_that_several_nodes_make_up_are_refused(name, tmp_path):
    message = refused(OnnxRuntimeNetwork, written(CHAINS[name], tmp_path / 'a.onnx'))
    computed = 'is a constant whose size is computed'
    expected = computed if 'computed' in name else 'asks for a tensor of ['
    assert 'a.onnx" is not an ONNX file' in message and expected in message


def test_several_nodes_may_make_up_usual_sizes(tmp_path):
    nodes = [
        FILLED, node('Tile', 'a one', 'b'), node('Resize', 'input  smaller', 'c'),
        node('ReduceMean', 'b', 'd', keepdims=0), node('Add', 'c d', 'y'),
    ]  # fmt: skip
    network = OnnxRuntimeNetwork(written(nodes, tmp_path / 'a.onnx'), threads=1)
    assert network.outputs.keys() == {'y'}


SEVERAL = {
    'texts that are computed': [
        node('Cast', 'million', 'a', to=TensorProto.STRING),
        node('Expand', 'a hundred', 'b'),
        node('Cast', 'b', 'y', to=TensorProto.FLOAT),
    ],
    'a constant text': [
        node('Constant', '', 'a', value_string='1'),
        node('Cast', 'a', 'y', to=TensorProto.FLOAT),
    ],
    'sequences': [
        FILLED, node('SequenceConstruct', 'a a', 'b'), node('SequenceAt', 'b zero', 'y')
    ],
}  # fmt: skip


@pytest.mark.parametrize('name', SEVERAL)
def test_results_other_than_tensors_of_numbers_are_refused(name, tmp_path):
    path = written(SEVERAL[name], tmp_path / 'a.onnx')
    assert 'not with tensors of numbers' in refused(OnnxRuntimeNetwork, path)


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
