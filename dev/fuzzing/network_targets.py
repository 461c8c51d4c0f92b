"""Exported networks."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from fpd_mmpose.deploy import ModelInfo, PoseSession
from fpd_mmpose.deploy.model_info import KEY
from fuzzing.mutations import damaged_bytes, damaged_json, strange_value
from fuzzing.subjects import Subject, Target, json_subject
from tests.helpers.exported import INFO, write_decoded

_DESCRIPTION: dict[str, Any] = json.loads(INFO.to_metadata()[KEY])


def _description(folder: Path) -> Subject:
    """The metadata alone, which is where a network says what it needs."""
    path = folder / 'student.onnx'

    def read() -> Any:
        text = path.read_bytes().decode(errors='replace')
        info = ModelInfo.from_metadata({KEY: text}, str(path))
        return info.mean, info.std, info.padding, info.pixel, info.settings, info.maps

    others = [
        dict(_DESCRIPTION, codec='SimCCLabel', split_ratio=2.0),
        dict(_DESCRIPTION, codec='UDPHeatmap', blur_kernel=[11, 11]),
    ]
    return json_subject(path, [_DESCRIPTION, *others], read)


def write_heatmaps(path: Path) -> None:
    """Writes a network whose heatmaps are those of a constant."""
    maps = np.random.default_rng(0).random((1, 3, 12, 8)).astype(np.float32)
    nodes = [
        helper.make_node('ReduceMean', ['input'], ['mean'], axes=[1, 2, 3], keepdims=1),
        helper.make_node('Mul', ['mean', 'zero'], ['nothing']),
        helper.make_node('ConstantOfShape', ['size'], ['zero']),
        helper.make_node('Add', ['nothing', 'maps'], ['heatmaps']),
    ]
    nodes[1:3] = nodes[2:0:-1]
    values = [
        helper.make_tensor('size', TensorProto.INT64, [1], [1]),
        helper.make_tensor('maps', TensorProto.FLOAT, maps.shape, maps.tobytes(), True),
    ]
    given, found = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ['batch', *shape])
        for name, shape in (('input', (3, 48, 32)), ('heatmaps', (3, 12, 8)))
    )
    graph = helper.make_graph(nodes, 'heatmaps', [given], [found], values)
    file = helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8
    )
    helper.set_model_props(file, INFO.to_metadata())
    onnx.save(file, path)


_GROWING = ('Tile', 'Expand', 'ConstantOfShape', 'Resize', 'Concat', 'Mul')


def _changed_graph(rng: Random, content: bytes) -> bytes:
    """Changes what a graph says of its tensors, nodes, and sizes."""
    model = onnx.ModelProto.FromString(content)
    graph = model.graph
    sizes = (0, 1, 2, -1, 3, 2**31, 2**40, 10**9, 3 * 10**8)

    def tensor() -> None:
        chosen = rng.choice(graph.initializer)
        kind = rng.randrange(4)
        if kind == 0:
            chosen.dims[:] = [rng.choice(sizes) for _ in range(rng.randrange(4))]
        elif kind == 1:
            chosen.data_type = rng.randrange(24)
        elif kind == 2:
            chosen.raw_data = damaged_bytes(rng, chosen.raw_data)
        elif chosen.int64_data:
            chosen.int64_data[:] = [rng.choice(sizes)]

    def node() -> None:
        chosen = rng.choice(graph.node)
        kind = rng.randrange(4)
        if kind == 0:
            ops = ('Tile', 'Expand', 'Reshape', 'Loop', 'Range', 'Resize', 'Sub', 'X')
            chosen.op_type = rng.choice(ops)
        elif kind == 1 and chosen.input:
            place = rng.randrange(len(chosen.input))
            chosen.input[place] = rng.choice(('', 'input', 'maps', 'heatmaps', 'size'))
        elif kind == 2:
            graph.node.remove(chosen)
        elif chosen.output:
            chosen.output[0] = rng.choice(('', 'input', 'maps', 'other'))

    def chain() -> None:
        # Nodes that make each other's results larger, for one that is there.
        user = rng.randrange(len(graph.node))
        place = rng.randrange(len(graph.node[user].input))
        name = graph.node[user].input[place]
        nodes, rank = list(graph.node), rng.choice((1, 2, 4))
        for number in range(rng.randrange(1, 5)):
            kind = rng.choice(_GROWING)
            factors = rng.choices((1, 1, 2, 30, 1000), k=rank)
            given = {
                'ConstantOfShape': [rng.choice((name, f'factors{number}'))],
                'Resize': [name, '', f'factors{number}'],
                'Mul': [name, rng.choice((name, f'factors{number}'))],
                'Concat': [name] * 9,
            }.get(kind, [name, f'factors{number}'])
            of = TensorProto.FLOAT if kind == 'Resize' else TensorProto.INT64
            graph.initializer.append(
                helper.make_tensor(f'factors{number}', of, [len(factors)], factors)
            )
            name = f'grown{number}'
            options = {'axis': 0} if kind == 'Concat' else {}
            grown = helper.make_node(kind, given, [name], **options)
            nodes.insert(user + number, grown)
        del graph.node[:]
        graph.node.extend(nodes)
        graph.node[user + number + 1].input[place] = name

    def shape() -> None:
        values = rng.choice((graph.input, graph.output))
        dims = values[0].type.tensor_type.shape.dim
        dims[rng.randrange(len(dims))].dim_value = rng.choice(sizes)

    def properties() -> None:
        chosen = model.metadata_props[0]
        text = damaged_json(rng, _DESCRIPTION).decode(errors='replace')
        chosen.value = rng.choice((text, text, text, str(strange_value(rng))[:99]))
        if rng.random() < 0.1:
            chosen.key = 'other'

    steps: tuple[Callable[[], None], ...] = (
        tensor,
        node,
        chain,
        shape,
        properties,
    )
    for _ in range(rng.choice((1, 1, 2))):
        try:
            rng.choice(steps)()
        except (IndexError, ValueError, TypeError, UnicodeError):
            pass  # nothing left to change, or nothing that the format can hold
    return model.SerializeToString()


def _network(folder: Path) -> Subject:
    path = folder / 'student.onnx'
    valid = []
    for write in (write_heatmaps, write_decoded):
        write(path)
        valid.append(path.read_bytes())
    image = np.zeros((40, 60, 3), np.uint8)

    def damage(rng: Random) -> bytes:
        content = rng.choice(valid)
        if rng.random() < 0.4:
            return damaged_bytes(rng, content)
        return _changed_graph(rng, content)

    def read() -> Any:
        poses = PoseSession(path, threads=1)(image, [[5, 5, 40, 35]])
        return poses.keypoints, poses.scores

    return Subject(path, valid, damage, read)


TARGETS = {
    'network_description': Target(_description),
    'network': Target(_network, 10),
}
