"""Checks MATLAB files before SciPy reads them.

SciPy trusts the types and sizes in a file: a wrong type ends the process, and a wrong
size can ask for any amount of memory.
"""

import math
import struct
import zlib

#: The most bytes that a file may unpack to.
MOST_BYTES = 1 << 29
#: The most memory that reading it may take: MPII's release has millions of arrays.
MOST_MEMORY = 1 << 31
#: What a number or a character, and an array, take at most, with temporary copies.
_VALUE_BYTES, _ARRAY_BYTES = 32, 400
#: The most fields of a struct, whose names NumPy compares with each other.
_MOST_FIELDS = 1000
_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _CHARACTERS = 1, 2, 4
#: The types of numbers and of text in a file.
_NUMBERS = {1, 2, 3, 4, 5, 6, 7, 9, 12, 13}
_TEXT = {1, 2, 3, 4, 16, 17, 18}
_COMPLEX = 1 << 11
_DAMAGED = 'it is damaged'


def check_mat(content: bytes) -> None:
    """Raises a ValueError unless a file has version 5 to 7, and holds what it says.

    Numbers, text, cells, and structs are known; other classes hold no annotations.
    """
    order = {b'IM': '<', b'MI': '>'}.get(content[126:128])
    version = content[125 if order == '<' else 124 : 126][:1]
    if order is None or version != b'\1' or 0 in content[:4]:
        raise ValueError('it is not of version 5 to 7')
    room, memory = MOST_BYTES, MOST_MEMORY
    position = 128
    while position < len(content):
        kind, size = _unpacked(f'{order}II', content, position)
        position += 8
        data = memoryview(content)[position : position + size]
        if not 0 < size == len(data):
            raise ValueError('it is truncated')
        position += size
        if kind == _COMPRESSED:
            try:
                data = memoryview(zlib.decompressobj().decompress(data, room))
            except zlib.error as error:
                raise ValueError(_DAMAGED) from error
            room -= len(data)
            if room <= 0:
                raise ValueError(f'it unpacks to more than {MOST_BYTES:,} bytes')
            kind, _ = _unpacked(f'{order}II', data, 0)
            data = data[8:]
        if kind != _MATRIX:
            raise ValueError(_DAMAGED)
        memory = _Matrices(data, order, memory).check()


class _Matrices:
    """Follows the elements of a variable as SciPy does, one after the other."""

    def __init__(self, data: memoryview, order: str, memory: int) -> None:
        self._data = data
        self._memory = memory
        self._at = 0
        self._pair, self._order = struct.Struct(f'{order}II'), order

    def check(self) -> int:
        """Checks all matrices, which may be inside of others; returns spare memory."""
        left = [1]
        self._header(left)
        while left:
            if left[-1] == 0:
                left.pop()
                continue
            left[-1] -= 1
            kind, size = self._next_pair()
            if kind != _MATRIX:
                raise ValueError(_DAMAGED)
            if size:
                left.append(0)
                self._header(left)
        return self._memory

    def _header(self, left: list[int]) -> None:
        """Checks a matrix, and sets how many are inside of it."""
        self._next_pair()
        flags, _ = self._next_pair()
        kind = flags & 0xFF
        sizes = self._integers()
        self._element(_TEXT)
        count = math.prod(sizes)
        if min(sizes, default=-1) < 0 or len(sizes) > 32 or len(left) > 32:
            raise ValueError(_DAMAGED)
        left[-1] = 0
        if kind == _STRUCT:
            (length,) = self._integers() or (0,)
            names = len(self._element(_TEXT))
            if length < 1:
                raise ValueError(_DAMAGED)
            fields = names // length
            if fields > _MOST_FIELDS:
                raise ValueError(f'a struct has more than {_MOST_FIELDS:,} fields')
            left[-1] = count * fields
            # The description of its fields is shared by its elements.
            self._take(fields + 1, _ARRAY_BYTES)
        elif kind == _CELL:
            left[-1] = count
        elif kind == _CHARACTERS:
            # Without data, SciPy makes as many spaces.
            self._take(max(count, len(self._element(_TEXT))), _VALUE_BYTES)
            self._take(1, _ARRAY_BYTES)
        elif 6 <= kind <= 15:
            for _ in range(2 if flags & _COMPLEX else 1):
                self._element(_NUMBERS)
                self._take(count, _VALUE_BYTES)
        else:
            raise ValueError('it holds another class than numbers, text, and structs')
        # Each has eight bytes or more.
        if max(left[-1], count if kind == _STRUCT else 0) > len(self._data) // 8:
            raise ValueError(_DAMAGED)
        self._take(left[-1], _ARRAY_BYTES)

    def _take(self, count: int, size: int) -> None:
        """Refuses what takes more than the memory that is left."""
        self._memory -= count * size
        if self._memory < 0:
            raise ValueError(f'reading it takes more than {MOST_MEMORY:,} bytes')

    def _integers(self) -> tuple[int, ...]:
        data = self._element({5, 6})
        return _unpacked(f'{self._order}{len(data) // 4}i', data, 0)

    def _element(self, kinds: set[int]) -> memoryview:
        kind, size = self._next_pair()
        start, end = self._at, self._at + size
        if kind >> 16:  # a small one, within the pair
            kind, size = kind & 0xFFFF, kind >> 16
            start, end = self._at - 4, self._at
        if kind not in kinds or size > (4 if end == self._at else len(self._data)):
            raise ValueError(_DAMAGED)
        if end > self._at:
            self._at = end + -size % 8
        if end > len(self._data):
            raise ValueError('it is truncated')
        return self._data[start : start + size]

    def _next_pair(self) -> tuple[int, int]:
        start, self._at = self._at, self._at + 8
        if self._at > len(self._data):
            raise ValueError('it is truncated')
        first, second = self._pair.unpack_from(self._data, start)
        return first, second


def _unpacked(form: str, data: bytes | memoryview, start: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(form, data, start)
    except struct.error as error:
        raise ValueError('it is truncated') from error
