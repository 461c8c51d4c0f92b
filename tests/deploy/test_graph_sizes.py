"""ONNX files whose nodes together ask for gigabytes, or for hours, are refused."""

import onnx
import pytest
from onnx import TensorProto, helper

from fpd_mmpose.deploy.runtimes import OnnxRuntimeNetwork
from tests.helpers.refusals import refused


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
    'computed size of unknown rank': [
        node('Max', 'million thousand', 'a'), node('Expand', 'one a', 'c'),
        node('Cast', 'c', 'b', to=TensorProto.FLOAT),
        node('ReduceMean', 'b', 'y', keepdims=0),
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
        node('SequenceConstruct', 'input', 'b'), node('SequenceAt', 'b zero', 'y'),
    ],
}  # fmt: skip


@pytest.mark.parametrize('name', SEVERAL)
def test_results_other_than_tensors_of_numbers_are_refused(name, tmp_path):
    path = written(SEVERAL[name], tmp_path / 'a.onnx')
    assert 'not with tensors of numbers' in refused(OnnxRuntimeNetwork, path)


IMAGE = [
    helper.make_node(
        'ConstantOfShape', ['sizes'], ['image'],
        value=helper.make_tensor('one', TensorProto.FLOAT, [1], [1.0]),
    ),
]  # fmt: skip
WINDOWS = {
    'AveragePool': [*IMAGE, node('AveragePool', 'image', 'y', kernel_shape=[999, 999])],
    'many at once': [
        *IMAGE, *(node('MaxPool', 'image', f'{n}', kernel_shape=[99, 99])
                  for n in range(9)),
        node('Identity', '0', 'y'),
    ],
    'Conv': [
        *IMAGE, node('ConstantOfShape', 'sizes', 'w'),
        node('Conv', 'image w', 'y', kernel_shape=[999, 999], pads=[499] * 4),
    ],
    'LRN': [*IMAGE, node('LRN', 'image', 'y', size=99_999)],
}  # fmt: skip


@pytest.mark.parametrize('name', WINDOWS)
def test_windows_that_take_hours_are_refused(name, tmp_path):
    sizes = [1, 1, 999, 999] if name == 'Conv' else [1, 1, 2048, 2048]
    sized = node('Constant', '', 'sizes', value_ints=sizes)
    path = written([sized, *WINDOWS[name]], tmp_path / 'a.onnx')
    assert 'values from' in refused(OnnxRuntimeNetwork, path)


def test_usual_windows_are_accepted(tmp_path):
    nodes = [
        node('AveragePool', 'input', 'a', kernel_shape=[48, 32]),
        node('MaxPool', 'input', 'b', kernel_shape=[31, 31], pads=[15] * 4),
        node('Add', 'a b', 'y'),
    ]
    network = OnnxRuntimeNetwork(written(nodes, tmp_path / 'a.onnx'), threads=1)
    assert network.outputs.keys() == {'y'}
