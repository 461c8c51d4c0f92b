"""Checks what an ONNX file asks for before a runtime grants it.

A runtime computes constants while it loads a file, so a few bytes, such as the shape of
a ``ConstantOfShape``, can ask for any amount of memory. Tensors that are in the file
cannot: the runtimes compare their sizes with the bytes that are there. Sizes that
follow from the shape of the network's input while it runs are not checked.
"""

import math
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

#: The most values of a tensor that a constant asks for: 512 MiB in float32.
MOST_VALUES = 1 << 27
#: The most values that all windows of convolutions and poolings read, for one person.
MOST_READ = 1 << 34
#: Operators whose inputs say how large their outputs are.
_SIZED = {
    'ConstantOfShape', 'Expand', 'OneHot', 'Pad', 'Range', 'Resize', 'Tile', 'Upsample',
}  # fmt: skip
_CONVOLUTIONS = {
    'Conv', 'ConvInteger', 'ConvTranspose', 'DeformConv', 'QLinearConv',
}  # fmt: skip
_INT64, _STRING = 7, 8
_SHAPE = b'/shape of a constant'
_SPARSE = 'it has sparse tensors, which may be larger than the file'
#: Of a graph, a node, or a tensor.
_MOST_FIELDS = 200_000

#: Numbers of fields that a message has once. Protocol Buffers takes the last of
#: several, or merges them, so what is checked would not be what is run.
_MODEL, _NODE, _ATTRIBUTE, _TENSOR, _VALUE = (
    {7}, {4, 7}, {1, 2, 3, 4, 5, 20}, {2, 8, 9, 14}, {1},
)  # fmt: skip

Field = tuple[int, int | memoryview]


class Result(NamedTuple):
    """What a graph computes: from constants alone, and from ``window`` values each."""

    constant: bool
    window: int


def check_graph(content: bytes) -> None:
    """Raises a ValueError for a graph that is damaged, loops, or asks for too much."""
    # A runtime that sees another format at the start would read that instead.
    if content[:1] != b'\x08' or content[4:8] == b'ORTM':
        raise ValueError('it does not begin as ONNX files do')
    model = _message_of(memoryview(content), _MODEL)
    if _parts(model, 25):
        raise ValueError('it defines operators, which could hide loops')
    for graph in _parts(model, 7):
        _check(graph)


def results(content: bytes) -> dict[bytes, Result]:
    """Returns what a graph computes by its names."""
    found: dict[bytes, Result] = {}
    for graph in _parts(list(_fields(memoryview(content))), 7):
        fields = list(_fields(graph))
        inputs_of_graph = [list(_fields(each)) for each in _parts(fields, 11)]
        given = {name for value in inputs_of_graph for name in _bytes(value, 1)}
        for node in (list(_fields(each)) for each in _parts(fields, 1)):
            constant = not any(
                name in given or (name in found and not found[name].constant)
                for name in _bytes(node, 1)
            )
            result = Result(constant, _window(node))
            found |= {name: result for name in _bytes(node, 2) if name}
    return found


def _window(node: list[Field]) -> int:
    """Returns how many values an operator says that it reads for each result."""
    window = 1
    for attribute in (list(_fields(each)) for each in _parts(node, 5)):
        name = b''.join(_bytes(attribute, 1))
        if name == b'kernel_shape':
            window *= math.prod(_integers(attribute, 8))
        elif name in (b'sampling_ratio', b'size'):  # of RoiAlign, and of LRN
            window *= sum(_integers(attribute, 3)) ** 2
    return abs(window) or 1


def with_outputs(content: bytes, found: Mapping[bytes, Result]) -> bytes:
    """Adds results, and shapes of constants, to the outputs of a file.

    What follows a file is merged with it. Only the shape of a shape tells a runtime's
    users a single value from a tensor of unknown rank.
    """
    shapes = {name: name + _SHAPE for name, result in found.items() if result.constant}
    added = [
        _message(1, _message(1, name) + _message(2, shape) + _message(4, b'Shape'))
        for name, shape in shapes.items()
    ]
    added += [_message(12, _message(1, each)) for each in (*found, *shapes.values())]
    return content + _message(7, b''.join(added))


def check_types(types: Iterable[str]) -> None:
    """Raises a ValueError for results whose sizes do not follow from a shape."""
    for each in types:
        if not each.startswith('tensor(') or each == 'tensor(string)':
            raise ValueError(f'it computes with {each}, not with tensors of numbers')


def check_sizes(
    shapes: Mapping[bytes, Sequence], found: Mapping[bytes, Result], file_size: int
) -> None:
    """Raises a ValueError for results that are too large, or may be.

    ``shapes`` are those that a runtime infers; it computes and keeps what is constant,
    such as weights of 8 bits, which are as many as the bytes of the file.
    """
    kept, read = -file_size, 0
    for name, result in found.items():
        shape, rank = shapes[name], shapes.get(name + _SHAPE, [0])
        sizes = [size for size in shape if isinstance(size, int)]
        count = math.prod(sizes)
        constant, window = result
        kept += count if constant else 0
        read += count * window if window > 1 else 0
        shown = name.decode(errors='replace')
        if max(count, kept) > MOST_VALUES:
            raise ValueError(f'"{shown}" asks for a tensor of {sizes}')
        if read > MOST_READ:
            raise ValueError(f'"{shown}" computes {sizes} values from {window} each')
        if constant and (len(sizes) < len(shape) or len(shape) not in rank):
            raise ValueError(f'"{shown}" is a constant whose size is computed')


def _message(number: int, content: bytes) -> bytes:
    """Writes a field of Protocol Buffers that holds bytes."""
    head = bytearray([number << 3 | 2])
    size = len(content)
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*head, size]) + content


def _check(graph: memoryview) -> None:
    fields = list(_fields(graph))
    if _parts(fields, 15):
        raise ValueError(_SPARSE)
    known = dict(_tensor(each) for each in _parts(fields, 5))
    for value in _parts(fields, 11):
        _message_of(value, _VALUE)
    for node in (_message_of(each, _NODE) for each in _parts(fields, 1)):
        kind = b''.join(_bytes(node, 4)).decode(errors='replace')
        domain = b''.join(_bytes(node, 7)).decode(errors='replace')
        if domain not in ('', 'ai.onnx'):
            raise ValueError(f'its {kind} is of "{domain}", not of ONNX')
        asked = [known.get(name, []) for name in _bytes(node, 1) if kind in _SIZED]
        for attribute in (_message_of(each, _ATTRIBUTE) for each in _parts(node, 5)):
            name = b''.join(_bytes(attribute, 1))
            if name == b'shape':
                asked.append(_integers(attribute, 8))
            if _parts(attribute, 6) or _parts(attribute, 11):
                raise ValueError(f'its {kind} has a graph inside, which could loop')
            if _parts(attribute, 22) or _parts(attribute, 23):
                raise ValueError(_SPARSE)
            tensors = _parts(attribute, 5) + _parts(attribute, 10)
            found = [_tensor(one)[1] for one in tensors]
            if kind == 'Constant':
                found += [_integers(attribute, 3) or _integers(attribute, 8)]
                known[b''.join(_bytes(node, 2))] = max(found, key=len)
        # A runtime would take it from the weights, whose sizes may be computed.
        if kind in _CONVOLUTIONS and not any(
            name == b'kernel_shape'
            for each in _parts(node, 5)
            for name in _bytes(list(_fields(each)), 1)
        ):
            raise ValueError(f'its {kind} has no kernel_shape')
        for numbers in asked:
            if math.prod(abs(number) for number in numbers if number) > MOST_VALUES:
                raise ValueError(f'a {kind} asks for a tensor of {numbers}')


def _tensor(data: memoryview) -> tuple[bytes, list[int]]:
    """Returns the name of a tensor, and its numbers if they can be a shape."""
    fields = _message_of(data, _TENSOR)
    if _parts(fields, 13) or any(_types(fields, 14)):
        raise ValueError('it keeps weights in other files')
    if _types(fields, 2) == [_STRING] or _parts(fields, 6):
        raise ValueError('it computes with texts')
    numbers: list[int] = []
    if _types(fields, 2) == [_INT64]:
        raw = b''.join(_bytes(fields, 9))
        short = [(n, v) for n, v in fields if isinstance(v, int) or len(v) <= 100]
        numbers = _integers(short, 7)
        if len(raw) <= 64 and len(raw) % 8 == 0:
            numbers += struct.unpack(f'<{len(raw) // 8}q', raw)
    return b''.join(_bytes(fields, 8)), numbers[:9]


def _message_of(data: memoryview, once: set[int]) -> list[Field]:
    """Returns the fields of a message, of which some are there once at most."""
    fields = list(_fields(data))
    numbers = [number for number, _ in fields if number in once]
    if len(numbers) > len(set(numbers)):
        raise ValueError('it says the same thing twice')
    return fields


def _parts(fields: list[Field], number: int) -> list[memoryview]:
    return [
        value
        for found, value in fields
        if found == number and isinstance(value, memoryview)
    ]


def _bytes(fields: list[Field], number: int) -> list[bytes]:
    return [bytes(value) for value in _parts(fields, number)]


def _types(fields: list[Field], number: int) -> list[int]:
    """Returns integers of which others read 32 bits."""
    return [value & 0xFFFFFFFF for value in _integers(fields, number)]


def _integers(fields: list[Field], number: int) -> list[int]:
    """Returns signed integers, each in a field or all in one."""
    found: list[int] = []
    for each, value in fields:
        if each == number and isinstance(value, int):
            found.append(value)
        elif each == number and isinstance(value, memoryview):
            position = 0
            while position < len(value):
                one, position = _varint(value, position)
                found.append(one)
    return [one - (1 << 64) if one >> 63 else one for one in found]


def _fields(data: memoryview) -> Iterator[Field]:
    """Yields the fields of a message of Protocol Buffers."""
    position = count = 0
    while position < len(data):
        tag, position = _varint(data, position)
        if tag >> 32:  # others leave out what is beyond 32 bits
            raise ValueError('it is damaged')
        kind, count = tag & 7, count + 1
        if count > _MOST_FIELDS:
            raise ValueError('it has too many parts')
        if kind == 0:
            value, position = _varint(data, position)
            yield tag >> 3, value
            continue
        size = {1: 8, 5: 4}.get(kind)
        if kind == 2:
            size, position = _varint(data, position)
        if size is None or position + size > len(data):
            raise ValueError('it is damaged')
        yield tag >> 3, data[position : position + size]
        position += size


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    for byte in data[position : position + 10]:
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return value & (1 << 64) - 1, position
        shift += 7
    raise ValueError('it is damaged')
