"""Rebuilds what a weight file may hold beyond torch's own types.

A pickle names functions and their arguments. NumPy trusts both: a file can make it
interpret raw bytes as pointers. So files get stand-ins under NumPy's and mmengine's
names. They check their arguments, and are replaced by real values once the whole file
has been read.
"""

import io
import math
import re
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, BinaryIO

import numpy as np
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from torch import _weights_only_unpickler
from torch.serialization import add_safe_globals

from fpd_mmpose.weights.pickle_limits import BOUNDED, check_tuples

#: Bytes that are read without asking whether the file has them.
_BLOCK = 1 << 16
_PLAIN_DTYPE = re.compile(r'b1|[iu][1248]|f[248]|U[1-9]\d{0,3}')
_HISTORY = {'max_length', '_log_history', '_count_history'}
_METHODS = {'statistics_methods', '_statistics_methods'}


def safe_globals() -> list[Callable | tuple[Callable, str]]:
    """Lists the types beyond torch's own that a training checkpoint may hold.

    They are mmengine's log history and one-cycle schedule, and NumPy's arrays, scalars,
    and plain dtypes under their names in NumPy 1 and 2.
    """
    allowed: list[Callable | tuple[Callable, str]] = [
        (_History, 'mmengine.logging.history_buffer.HistoryBuffer'),
        (_OneCycle, 'mmengine.optim.scheduler.param_scheduler.OneCycleParamScheduler'),
        (_getattr, 'builtins.getattr'),
        (_empty_bytes, 'builtins.bytes'),  # the content of an empty array
        (_ArrayType, 'numpy.ndarray'),
        (_Dtype, 'numpy.dtype'),
    ]
    for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
        allowed.append((_Array, f'{module}._reconstruct'))
        allowed.append((_scalar, f'{module}.scalar'))
    return allowed


def install() -> None:
    """Lets ``torch.load(weights_only=True)`` read such files.

    Calling it again is harmless.
    """
    add_safe_globals(safe_globals())
    module: Any = _weights_only_unpickler
    module._get_allowed_globals().update(BOUNDED)
    stock = module.Unpickler
    if not issubclass(stock, _Finishing):
        module.Unpickler = type('Unpickler', (_Finishing, stock), {})


class _Finishing:
    """Replaces the stand-ins by real values once a file has been read."""

    def __init__(self, file: BinaryIO, **kwargs: Any) -> None:
        stock: Any = super()
        stock.__init__(file, **kwargs)
        self._file = file
        self.read = self._read

    def _read(self, count: int) -> bytes:
        """Reads what the file has: Python would make room for any count first."""
        if count > _BLOCK and count > size_of(self._file):
            raise _refusal('it is truncated')
        return self._file.read(count)

    @property
    def persistent_load(self) -> Callable[[Any], Any]:
        """Makes a storage, which must not be larger than the file."""
        return self._load_storage

    @persistent_load.setter
    def persistent_load(self, load: Callable[[Any], Any]) -> None:
        sizes: dict[str, int] = {}

        def load_storage(about: Any) -> Any:
            # Of the format before zip files: torch makes room before it reads.
            if isinstance(about, tuple) and len(about) == 6:
                _, _, name, _, count, _ = about
                if type(count) is not int or not isinstance(name, str):
                    raise _refusal('it holds a storage without name or size')
                sizes[name] = count
                if not 0 <= sum(sizes.values()) <= size_of(self._file):
                    raise _refusal(
                        'its tensors are larger than the file, which may be truncated'
                    )
            return load(about)

        self._load_storage = load_storage

    def load(self) -> Any:
        stock: Any = super()
        start = self._file.tell()
        check_tuples(self._read, self._file.readline)
        self._file.seek(start)
        try:
            return _finished(stock.load(), {})
        except RecursionError:
            raise _refusal('it is nested too deeply') from None


def size_of(source: Path | BinaryIO) -> int:
    """Returns the size of a file in bytes, and leaves its position unchanged."""
    if isinstance(source, Path):
        return source.stat().st_size
    position = source.tell()
    size = source.seek(0, io.SEEK_END)
    source.seek(position)
    return size


def _refusal(reason: str) -> UnpicklingError:
    return UnpicklingError(f'refused: {reason}')


# --- Stand-ins ---------------------------------------------------------------------


class _StandIn:
    """Becomes a real value once the file has been read."""

    real: Any = None

    def finished(self) -> Any:
        """Returns the real value."""
        if self.real is None:
            raise _refusal(f'it holds {type(self).__name__.strip("_")} without content')
        return self.real


class _Dtype(_StandIn):
    """``numpy.dtype`` of numbers, booleans, or strings: no objects, no fields."""

    def __new__(cls, code: Any, align: Any = False, copy: Any = False) -> '_Dtype':
        if not isinstance(code, str) or not _PLAIN_DTYPE.fullmatch(code):
            raise _refusal(f'it asks for the NumPy type {str(code)[:40]!r}')
        self = super().__new__(cls)
        self.real = np.dtype(code)
        return self

    def __setstate__(self, state: Any) -> None:
        # (version, byte order, 3 of structured types, 3 sizes implied by the code)
        if (
            not isinstance(state, tuple)
            or len(state) != 8
            or state[1] not in ('<', '>', '|', '=')
            or state[2:5] != (None, None, None)
        ):
            raise _refusal('it holds a NumPy type that is not plain')
        if state[1] in '<>':
            self.real = self.real.newbyteorder(state[1])


class _ArrayType(_StandIn):
    """``numpy.ndarray``, which a file may name but not call."""

    def __new__(cls, *args: Any, **kwargs: Any) -> '_ArrayType':
        raise _refusal('it calls numpy.ndarray')


class _Array(_StandIn):
    """An array of a plain dtype, with as many bytes as its shape implies."""

    def __new__(cls, kind: Any, *ignored: Any) -> '_Array':
        if kind is not _ArrayType:
            raise _refusal(f'it asks for an array that is {str(kind)[:60]}')
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        if self.real is not None or not isinstance(state, tuple) or len(state) != 5:
            raise _refusal('it holds a NumPy array that is not plain')
        _, shape, dtype, in_fortran_order, content = state
        if (
            not isinstance(shape, tuple)
            or len(shape) > 32
            or not all(type(size) is int and size >= 0 for size in shape)
        ):
            raise _refusal('it holds a NumPy array of an impossible shape')
        dtype = _plain_dtype(dtype)
        _check_size(content, math.prod(shape) * dtype.itemsize)
        view = np.ndarray(
            shape,
            dtype,
            content if content else None,
            order='F' if in_fortran_order else 'C',
        )
        self.real = view.copy(order='K')


class _History(_StandIn):
    """mmengine's history of a logged value."""

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, dict) or not _HISTORY <= {*state} <= (
            _HISTORY | _METHODS
        ):
            raise _refusal('it holds an unknown kind of log history')
        values, counts, length = (
            state[name] for name in ('_log_history', '_count_history', 'max_length')
        )
        for part in (values, counts):
            if (
                not isinstance(part, _Array)
                or part.finished().ndim != 1
                or part.finished().dtype.kind not in 'iuf'
            ):
                raise _refusal('it holds a log history that is not a row of numbers')
        if len(values.real) != len(counts.real) or type(length) is not int:
            raise _refusal('it holds a log history whose lengths differ')
        # A file cannot set its methods: all histories share that dictionary.
        self.real = HistoryBuffer(max_length=length)
        self.real._log_history = values.real
        self.real._count_history = counts.real


class _OneCycle(_StandIn):
    """mmengine's one-cycle schedule, which a file may name but not call."""

    def __new__(cls, *args: Any, **kwargs: Any) -> '_OneCycle':
        raise _refusal('it makes a schedule')


#: The functions that a file may refer to, but not call.
_SERVED = {
    _History: (HistoryBuffer, ('min', 'max', 'current', 'mean')),
    _OneCycle: (OneCycleParamScheduler, ('_annealing_cos', '_annealing_linear')),
}


def _getattr(owner: Any, name: str) -> Any:
    """Replaces ``builtins.getattr``; it finds a few methods of mmengine."""
    if isinstance(owner, type) and owner in _SERVED:
        real, names = _SERVED[owner]
        if isinstance(name, str) and name in names:
            return getattr(real, name)
    raise _refusal(
        f'the checkpoint asks for attribute {str(name)[:40]!r} of {str(owner)[:60]}'
    )


def _scalar(dtype: Any, content: Any) -> np.generic:
    """Replaces NumPy's ``scalar``; it makes values of plain dtypes."""
    dtype = _plain_dtype(dtype)
    _check_size(content, dtype.itemsize)
    return np.frombuffer(content, dtype)[0]


def _empty_bytes(*content: Any) -> bytes:
    """Replaces ``bytes``; it takes no size from a file."""
    if content:
        raise _refusal('it calls bytes')
    return b''


def _plain_dtype(value: Any) -> np.dtype:
    if not isinstance(value, _Dtype):
        raise _refusal('it holds a NumPy value without a type')
    return value.real


def _check_size(content: Any, size: int) -> None:
    if not isinstance(content, bytes) or len(content) != size:
        raise _refusal('it holds a NumPy value whose size is wrong')


# --- The walk ----------------------------------------------------------------------


def _finished(value: Any, done: dict[int, tuple]) -> Any:
    """Replaces stand-ins in a value and, in place, in what it contains."""
    if isinstance(value, _StandIn):
        return value.finished()
    if isinstance(value, type) and issubclass(value, _StandIn):
        raise _refusal('it holds a class in place of a value')
    if type(value) is not tuple and not isinstance(value, (dict, list, set)):
        return value
    if id(value) in done:
        return done[id(value)][1]
    if type(value) is tuple:
        items = tuple(_finished(item, done) for item in value)
        same = all(new is old for new, old in zip(items, value, strict=True))
        # The original is kept as well, or another object could get its id.
        done[id(value)] = value, value if same else items
        return done[id(value)][1]
    done[id(value)] = value, value
    if isinstance(value, list):
        value[:] = [_finished(item, done) for item in value]
        return value
    if any(_finished(key, done) is not key for key in value):
        raise _refusal('it has a NumPy value for a key')
    if isinstance(value, dict):
        for key, item in value.items():
            value[key] = _finished(item, done)
        if isinstance(value, OrderedDict):
            _finished(vars(value), done)
    return value
