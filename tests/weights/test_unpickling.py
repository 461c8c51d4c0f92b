"""Training checkpoints are read, and hostile files are not."""

import _codecs
import copyreg
import importlib
import json
import os
import pickle
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.registry import PARAM_SCHEDULERS
from mmengine.runner import CheckpointLoader

from fpd_mmpose.weights import read_state_dict
from tests.helpers.forked import Forked

# --- What a training run writes ----------------------------------------------------


def assert_same(found: Any, expected: Any) -> None:
    assert type(found) is type(expected)
    if isinstance(expected, np.ndarray | np.generic):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected


def with_numpy_names(path: Path, package: str) -> None:
    """Renames the module in a legacy file to NumPy 1's or NumPy 2's."""
    content = path.read_bytes().replace(b'numpy._core.', b'numpy.core.')
    assert b'numpy.core.' in content
    path.write_bytes(content.replace(b'numpy.core.', f'{package}.'.encode()))


NUMPY_VALUES = [
    *(np.arange(6).astype(code).reshape(2, 3) for code in '?bBhHiIlLefd'),
    *(np.ones(1, dtype=code)[0] for code in '?bBhHiIlLefd'),
    np.array(['left', 'right']),
    np.array(3.5),
    np.zeros((0, 2), np.float32),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.dtype('float32'),
    np.dtype('int64'),
]


@pytest.mark.parametrize('package', ['numpy.core', 'numpy._core'])
def test_numpy_values_of_either_numpy_are_read(tmp_path, package):
    path = tmp_path / 'values.pth'
    torch.save(NUMPY_VALUES, path, _use_new_zipfile_serialization=False)
    with_numpy_names(path, package)
    loaded = torch.load(path)
    assert len(loaded) == len(NUMPY_VALUES)
    for found, expected in zip(loaded, NUMPY_VALUES, strict=True):
        assert_same(found, expected)


@pytest.mark.parametrize('zipped', [True, False])
def test_mmengines_training_checkpoint_is_read_by_default(tmp_path, zipped):
    hub = MessageHub.get_instance(str(tmp_path))
    for step, loss in enumerate((3.0, 1.0, 2.0)):
        hub.update_scalar('train/loss', loss, count=step + 1)
    hub.update_info('iter', 3)
    checkpoint = {
        'meta': {'epoch': 1, 'dataset_meta': {'sigmas': np.full(16, 0.05)}},
        'state_dict': OrderedDict(weight=torch.rand(2, 3)),
        'message_hub': hub.state_dict(),
    }
    path = tmp_path / 'epoch_1.pth'
    torch.save(checkpoint, path, _use_new_zipfile_serialization=zipped)
    for loaded in (
        torch.load(path),
        CheckpointLoader.load_checkpoint(str(path), 'cpu', logger='silent'),
    ):
        torch.testing.assert_close(
            loaded['state_dict'], checkpoint['state_dict'], rtol=0, atol=0
        )
        assert_same(
            loaded['meta']['dataset_meta']['sigmas'],
            checkpoint['meta']['dataset_meta']['sigmas'],
        )
        buffer = loaded['message_hub']['log_scalars']['train/loss']
        assert isinstance(buffer, HistoryBuffer)
        np.testing.assert_array_equal(buffer.data, [[3, 1, 2], [1, 2, 3]])
        assert buffer.statistics('min') == buffer.min() == 1
        assert buffer.statistics('max') == 3
        assert buffer.statistics('current') == 2
        assert buffer.statistics('mean') == 6 / 6  # sum of values / sum of counts


@pytest.mark.parametrize(
    ('name', 'arguments'),
    [
        ('ConstantLR', {}),
        ('CosineAnnealingLR', dict(T_max=4, eta_min=0)),
        ('CosineRestartLR', dict(periods=[2, 2], restart_weights=[1, 1], eta_min=0)),
        ('ExponentialLR', dict(gamma=0.9)),
        ('LinearLR', {}),
        ('MultiStepLR', dict(milestones=[2])),
        ('OneCycleLR', dict(eta_max=0.1, total_steps=4)),
        ('OneCycleLR', dict(eta_max=0.1, total_steps=4, anneal_strategy='linear')),
        ('PolyLR', dict(end=4)),
        ('ReduceOnPlateauLR', dict(monitor='loss')),
        ('StepLR', dict(step_size=2)),
    ],
)
def test_the_state_of_every_schedule_is_read(name, arguments, tmp_path):
    weights = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weights], lr=0.1, momentum=0.9)
    schedule = PARAM_SCHEDULERS.get(name)(optimizer, **arguments)
    torch.save(dict(param_schedulers=[schedule.state_dict()]), tmp_path / 'x.pth')
    (loaded,) = torch.load(tmp_path / 'x.pth')['param_schedulers']
    assert loaded.keys() == schedule.state_dict().keys()
    schedule.load_state_dict(loaded)
    optimizer.step()
    schedule.step()


class Calls:
    """Pickles as the call of a function, and a state for its result."""

    def __init__(self, function: Callable, *arguments: Any, state: Any = None):
        self.call = function, arguments
        if state is not None:
            self.call += (state,)

    def __reduce__(self) -> tuple:
        return self.call

    def __call__(self) -> None:
        """A function that results from a call must look callable."""


def ask(*path: Any) -> Any:
    """Pickles as getattr(getattr(path[0], path[1]), path[2])..."""
    owner = path[0]
    for name in path[1:]:
        owner = Calls(getattr, owner, name)
    return owner


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize('function', [os.system, eval, exec, os.mkdir, __import__])
def test_a_file_that_calls_something_executes_nothing(tmp_path, function, zipped):
    proof = tmp_path / 'it ran'
    argument = {
        os.system: f'mkdir "{proof}"',
        os.mkdir: str(proof),
        __import__: 'this',
    }.get(function, f'__import__("os").mkdir({str(proof)!r})')
    path = tmp_path / 'evil.pth'
    torch.save(
        {'state_dict': Calls(function, argument)},
        path,
        _use_new_zipfile_serialization=zipped,
    )
    with pytest.raises(pickle.UnpicklingError, match=function.__name__):
        torch.load(path)
    assert not proof.exists() and 'this' not in sys.modules


@pytest.mark.parametrize(
    'path',
    [
        (HistoryBuffer, '__init__'),
        (HistoryBuffer, '__reduce__'),
        (HistoryBuffer, '__globals__'),
        (HistoryBuffer, '__dict__'),
        (HistoryBuffer, '__class__'),
        (HistoryBuffer, 'register_statistics'),
        (HistoryBuffer, 'mean', '__globals__'),
        (HistoryBuffer, 'mean', '__class__'),
        (np.ndarray, 'tofile'),
        (np.ndarray, 'mean'),
        (np.dtype, '__setstate__'),
        (OrderedDict, 'update'),
        (HistoryBuffer([1], [1]), 'mean'),
    ],
    # Names alone, without addresses, so that every test process has the same.
    ids=lambda path: '.'.join(
        getattr(part, '__name__', None) or type(part).__name__
        if not isinstance(part, str)
        else part
        for part in path
    ),
)
def test_getattr_in_a_file_only_finds_the_methods_of_logs(tmp_path, path):
    torch.save(ask(*path), tmp_path / 'evil.pth')
    with pytest.raises(pickle.UnpicklingError, match=f"attribute '{path[-1]}'"):
        torch.load(tmp_path / 'evil.pth')


def test_getattr_on_a_module_or_a_builtin_executes_nothing(tmp_path):
    proof = tmp_path / 'it ran'
    # Protocol 2 by hand: getattr(<owner>, <name>)(<proof>), memo and all left out.
    owners = [('os', 'mkdir'), ('builtins', '__import__'), ('mmengine.logging', 'os')]
    for module, name in owners:
        stream = (
            b'\x80\x02c__builtin__\ngetattr\n'
            + f'c{module}\n{name}\n'.encode()
            + b'X\x08\x00\x00\x00__call__\x86R'
            + b'X'
            + len(str(proof)).to_bytes(4, 'little')
            + str(proof).encode()
            + b'\x85R.'
        )
        (tmp_path / 'evil.pth').write_bytes(stream)
        with pytest.raises(pickle.UnpicklingError):
            torch.load(tmp_path / 'evil.pth')
    assert not proof.exists()


def test_the_result_of_getattr_is_not_called(tmp_path):
    call = Calls(ask(HistoryBuffer, 'max'), HistoryBuffer([5.0], [1]))
    torch.save(call, tmp_path / 'evil.pth')
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / 'evil.pth')


# --- Values that are not what they claim -------------------------------------------

multiarray = importlib.import_module('numpy._core.multiarray')
POINTER = b'A' * 8  # where nothing is
PLAIN = dict(
    max_length=10, _log_history=np.array([3.0]), _count_history=np.array([1])
)  # a log history's state


def array_of(
    shape: Any, dtype: Any, content: Any, kind: Any = np.ndarray, version: int = 1
) -> Calls:
    state = version, shape, dtype, False, content
    return Calls(multiarray._reconstruct, kind, (0,), b'b', state=state)


def dtype_of(code: str, *state: Any) -> Calls:
    return Calls(np.dtype, code, False, True, state=state or None)


class Made(Calls):
    """Pickles as an object that is made without its `__init__`."""

    def __init__(self, kind: type, *arguments: Any, state: Any = None):
        super().__init__(copyreg.__newobj__, kind, *arguments, state=state)
        self.kind = kind

    @property
    def __class__(self) -> type:
        return self.kind


def history_of(**state: Any) -> Made:
    return Made(HistoryBuffer, state=state)


def rebuilt(*size_and_stride: tuple[int, ...]) -> Calls:
    storage = torch.arange(4.0).untyped_storage()
    storage = torch.storage.TypedStorage(
        wrap_storage=storage, dtype=torch.float32, _internal=True
    )
    function = torch._utils._rebuild_tensor_v2
    return Calls(function, storage, 0, *size_and_stride, False, OrderedDict())


def ones(count: int) -> torch.Tensor:
    return torch.ones(count, dtype=torch.int64)


F8 = np.dtype('f8')
FIELD = dtype_of('V8', 3, '|', None, ('a',), {'a': (np.dtype('O'), 0)}, 8, 1, 27)
OBJECT = Calls(np.dtype, 'O')  # without a state
RECORD = Calls(np.dtype, [('a', 'O')])
HOSTILE = {
    'objects over raw bytes': array_of((1,), OBJECT, POINTER),
    'object over raw bytes': Calls(multiarray.scalar, OBJECT, POINTER),
    'ndarray of objects over raw bytes': Calls(np.ndarray, (1,), OBJECT, POINTER),
    'ndarray of records over raw bytes': Calls(np.ndarray, (1,), RECORD, POINTER),
    'records over raw bytes': array_of((1,), RECORD, POINTER),
    'record over raw bytes': Calls(multiarray.scalar, RECORD, POINTER),
    'number that is turned into objects': array_of(
        (1,), dtype_of('f8', 3, '|', None, None, None, 8, 8, 63), POINTER * 2
    ),
    'text that is turned into objects': array_of(
        (1,), dtype_of('U2', 3, '|', None, None, None, 8, 8, 63), POINTER * 2
    ),
    'objects': array_of((1,), np.dtype('O'), POINTER),
    'object': Calls(multiarray.scalar, np.dtype('O'), POINTER),
    'object in a field': array_of((1,), FIELD, POINTER),
    'scalar with a field': Calls(multiarray.scalar, FIELD, POINTER),
    'numbers with a field': dtype_of(
        'f8', 3, '|', None, ('a',), {'a': (np.dtype('O'), 0)}, 8, 1, 27
    ),
    'raw memory': array_of((1,), np.dtype('V8'), POINTER),
    'dates': array_of((1,), np.dtype('M8[ns]'), POINTER),
    'very long text': Calls(np.dtype, f'U{10**9}', False, True),
    'text without length': array_of((10**10,), Calls(np.dtype, 'U0'), b''),
    'type by a list': Calls(np.dtype, [('a', 'O')]),
    'call of ndarray': Calls(np.ndarray, (1,), F8, POINTER),
    'call of ndarray for objects': Calls(np.ndarray, (2,), 'O'),
    'ndarray made anew': Made(np.ndarray, (2,), np.dtype('O')),
    'state for ndarray itself': [np.ndarray],
    'array of another kind': array_of((1,), F8, POINTER, kind=OrderedDict),
    'array as objects of torch': array_of((1,), F8, POINTER, kind=torch.Tensor),
    'negative size': array_of((-1,), F8, POINTER),
    'two negative sizes': array_of((-1, -1), F8, POINTER),
    'huge': array_of((2**40,), F8, POINTER),
    'overflowing': array_of((2**32, 2**32), F8, b''),
    'huge and empty': array_of((2**62, 0), F8, b''),
    'many dimensions': array_of((1,) * 1000, F8, POINTER),
    'size that is no number': array_of((1.0,), F8, POINTER),
    'too few bytes': array_of((2,), F8, POINTER),
    'too many bytes': array_of((1,), F8, POINTER * 2),
    'list for bytes': array_of((1,), F8, [1]),
    'no type': array_of((1,), None, POINTER),
    'short state': Calls(
        multiarray._reconstruct, np.ndarray, (0,), b'b', state=((1,), F8)
    ),
    'no content': Calls(multiarray._reconstruct, np.ndarray, (0,), b'b'),
    'scalar of too few bytes': Calls(multiarray.scalar, F8, b'1'),
    'scalar of nothing': Calls(multiarray.scalar, F8),
    'array for a key': {(1, np.dtype('f8')): 1},
    'bytes by the terabyte': Calls(bytes, 10**12),
    'bytearray by the terabyte': Calls(bytearray, 10**12),
    'tensor without its numbers': Calls(torch.Tensor, 10**8),
    'text in a slow encoding': Calls(_codecs.encode, 'text', 'punycode'),
    'tuples of tuples': reduce(lambda half, _: (half, half), range(60), ()),
    'log with a method': history_of(**PLAIN, update=np.array([1.0])),
    'log of text': history_of(**{**PLAIN, '_log_history': 'text'}),
    'log of two dimensions': history_of(**{**PLAIN, '_log_history': np.ones((1, 1))}),
    'log of unequal parts': history_of(**{**PLAIN, '_log_history': np.ones(2)}),
    'log without content': Made(HistoryBuffer),
    'log that is called': Calls(HistoryBuffer, [1.0], [1]),
    'schedule': Made(OneCycleParamScheduler, state={'step': 1}),
    'tensor beyond its storage': rebuilt((1000,), (1,)),
    'tensor of terabytes': rebuilt((10**12,), (1,)),
    'one number for terabytes': rebuilt((10**12,), (0,)),
    'tensor of negative size': rebuilt((-4,), (1,)),
    'tensor of overflowing size': rebuilt((2, 2**62), (2**62, 4)),
    'nested tensor': Calls(
        torch._utils._rebuild_nested_tensor, torch.ones(4),
        ones(2)[:, None] * 2, ones(2)[:, None], ones(2),
    ),
    'sparse tensor': Calls(
        torch._utils._rebuild_sparse_tensor, torch.sparse_coo,
        (ones(1)[None] * 10**6, torch.ones(1), (4,), False),
    ),
    'tensor without content': Calls(
        torch._utils._rebuild_meta_tensor_no_storage, torch.float32, (4,), (1,), False
    ),
}  # fmt: skip


def try_all(files: list[str]) -> None:
    for file in files:
        for load in CheckpointLoader.load_checkpoint, read_state_dict:
            try:
                load(file)
            except ValueError as error:
                print(json.dumps([file, str(error)]), flush=True)
            else:
                print(json.dumps([file, 'is accepted']), flush=True)


def archive(path: Path, stream: bytes) -> None:
    with zipfile.ZipFile(path, 'w') as file:
        file.writestr('a/data.pkl', stream)
        file.writestr('a/version', '3\n')
        file.writestr('a/byteorder', 'little')


@pytest.mark.slow
def test_each_hostile_file_is_a_one_line_error(tmp_path):
    files = []
    for name, value in HOSTILE.items():
        for zipped in True, False:
            path = tmp_path / f'{name}{" in a zip" * zipped}.pth'
            content = {'state_dict': {'weight': torch.ones(1)}, 'meta': {'x': value}}
            torch.save(content, path, _use_new_zipfile_serialization=zipped)
            files.append(str(path))
    archive(
        tmp_path / 'deep.pth', b'\x80\x02' + b']' * 10**5 + b'a' * (10**5 - 1) + b'.'
    )
    whole = Path(files[0]).read_bytes()
    (tmp_path / 'cut.pth').write_bytes(whole[: len(whole) // 2])
    (tmp_path / 'tar.pth').write_bytes(
        b'storages'.ljust(257, b'\0') + b'ustar' + bytes(250)
    )
    files += [str(tmp_path / f'{name}.pth') for name in ('deep', 'cut', 'tar')]
    process = Forked(try_all, files, output=tmp_path)
    process.start()
    finished = process.finished()
    lines = [json.loads(x) for x in finished.stdout.splitlines() if x.startswith('[')]
    assert finished.exitcode == 0, (lines[-1:], finished.stderr[-2000:])
    assert [file for file, _ in lines] == [file for file in files for _ in range(2)]
    for file, message in lines:
        assert message.startswith(f'"{file}" is '), message
        assert '\n' not in message and len(message) < len(file) + 250, message
        assert 'accepted' not in message, message


def test_shared_tuples_are_read_once(tmp_path):
    pair = (np.ones(1),)
    for _ in range(15):
        pair = pair, pair
    torch.save([pair], tmp_path / 'x.pth')
    (found,) = CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'))
    while len(found) == 2:
        assert found[0] is found[1]
        found = found[0]
    assert_same(found[0], np.ones(1))


def test_a_shared_array_stays_shared(tmp_path):
    array = np.ones(1)
    torch.save({'a': array, 'b': [array]}, tmp_path / 'x.pth')
    found = torch.load(tmp_path / 'x.pth')
    assert found['a'] is found['b'][0]


def test_a_list_that_contains_itself_is_read(tmp_path):
    value = [np.ones(1)]
    value.append(value)
    torch.save(value, tmp_path / 'x.pth')
    found = CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'))
    assert found[1] is found and type(found[0]) is np.ndarray


@pytest.mark.parametrize('code', ['>f8', '>i4', '<U3', '>U3', '<f2'])
def test_the_byte_order_is_kept(tmp_path, code):
    array = np.array([1, 2, 513]).astype(code)
    torch.save([array, array[1:2], array.dtype], tmp_path / 'x.pth')
    for found, expected in zip(
        torch.load(tmp_path / 'x.pth'), [array, array[1:2], array.dtype], strict=True
    ):
        assert_same(found, expected)


def test_sizes_and_flags_of_types_in_a_file_are_ignored(tmp_path):
    text = dtype_of('U1', 3, '<', None, None, None, -(2**30), 4, 63)
    number = dtype_of('f8', 3, '<', None, None, None, 10**9, 1, 63)
    torch.save([text, number, array_of((1,), number, bytes(8))], tmp_path / 'x.pth')
    found = torch.load(tmp_path / 'x.pth')
    assert found[:2] == [np.dtype('U1'), np.dtype('f8')] and found[0].itemsize == 4
    assert found[1].flags == np.dtype('f8').flags
    assert_same(found[2], np.zeros(1))


def test_a_file_cannot_change_how_logs_are_averaged(tmp_path):
    before = dict(HistoryBuffer._statistics_methods)
    poison = {'mean': HistoryBuffer.max, 'other': HistoryBuffer.min}
    hostile = history_of(**PLAIN, statistics_methods=poison)
    torch.save([hostile], tmp_path / 'x.pth')
    (found,) = torch.load(tmp_path / 'x.pth')
    assert HistoryBuffer._statistics_methods == before
    assert found.statistics('mean') == 3 and 'other' not in found._statistics_methods


def test_attributes_of_a_state_dict_do_not_hide_its_methods(tmp_path):
    state_dict = OrderedDict(weight=torch.ones(1))
    state_dict.copy = state_dict.update = 'hidden'
    state_dict._metadata = OrderedDict({'': {'version': 1}})
    torch.save({'state_dict': state_dict}, tmp_path / 'x.pth')
    found = CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'))['state_dict']
    assert callable(found.copy) and dict(found) == {'weight': torch.ones(1)}
    assert found._metadata == {'': {'version': 1}}
