"""Bounds the work and the memory that a pickle asks for beyond its size."""

import pickletools
from collections.abc import Callable
from pickle import UnpicklingError
from types import SimpleNamespace
from typing import Any

#: How many items the tuples may have in all, by operation of the pickle and beyond.
_BY_OPERATION, _FREE = 16, 1_000_000
_MARK = -1


def check_tuples(read: Callable[[int], bytes], readline: Callable[[], bytes]) -> None:
    """Raises ``UnpicklingError`` if tuples contain one another too often.

    A tuple of 60 levels that each hold the last one twice takes 400 bytes, and 2^60
    steps to hash. So the items of a tuple are those of its tuples, too, and count
    whenever the tuple is used. The source is read up to the end of the pickle.
    """
    stack: list[int] = []
    memo: dict[int, int] = {}
    operations = items = 0
    source: Any = SimpleNamespace(read=read, readline=readline)
    try:
        for opcode, argument, _ in pickletools.genops(source):
            operations += 1
            items += _apply(opcode, argument, stack, memo)
            if items > _BY_OPERATION * operations + _FREE:
                raise _refusal('its tuples contain one another too often')
    except (ValueError, IndexError) as error:
        raise UnpicklingError(f'its pickle is damaged: {error}') from None


def _apply(
    opcode: pickletools.OpcodeInfo, argument: object, stack: list[int], memo: dict
) -> int:
    """Keeps the sizes on the stack; returns that of a tuple that is made or used."""
    name = opcode.name
    if name in ('PUT', 'BINPUT', 'LONG_BINPUT'):
        memo[argument] = stack[-1]
        return 0
    if name == 'MEMOIZE':
        memo[len(memo)] = stack[-1]
        return 0
    if name in ('GET', 'BINGET', 'LONG_BINGET'):
        stack.append(memo.get(argument, 1))
        return stack[-1]
    if name == 'MARK':
        stack.append(_MARK)
        return 0
    taken = []
    before = list(opcode.stack_before)
    if pickletools.markobject in before:
        while (size := stack.pop()) != _MARK:
            taken.append(size)
        before = before[: before.index(pickletools.markobject)]
    taken += [stack.pop() for _ in before]
    is_tuple = name.startswith('TUPLE')
    for _ in opcode.stack_after:
        stack.append(1 + sum(taken) if is_tuple else 1)
    return stack[-1] if is_tuple else 0


def _bytearray(*content: Any) -> bytearray:
    if any(isinstance(part, int) for part in content):
        raise _refusal('it calls bytearray with a size')
    return bytearray(*content)


def _encode(text: Any, encoding: Any = None) -> bytes:
    # Pickles of bytes have this encoding; others can take the square of the size.
    if not isinstance(text, str) or encoding not in ('latin1', 'latin-1'):
        raise _refusal(f'it encodes text as {str(encoding)[:40]!r}')
    return text.encode('latin-1')


#: What torch lets a file call that makes more than it is given.
BOUNDED = {'builtins.bytearray': _bytearray, '_codecs.encode': _encode}


def _refusal(reason: str) -> UnpicklingError:
    return UnpicklingError(f'refused: {reason}')
