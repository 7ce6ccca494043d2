"""Distinct texts and their numbers, for compiled readers: a hash table over bytes."""

import numpy as np
import pyarrow as pa
from numba import njit


class StringTable:
    """Distinct texts, found again by a hash table with open addressing that is at most half full.

    slots    int64, a power of two: number of a text, or -1
    hashes   uint64 (n,)
    offsets  int64 (n + 1,): text i is pool[offsets[i]:offsets[i + 1]]
    pool     uint8
    count    int64 (1,): n
    """

    def __init__(self) -> None:
        self.slots = np.full(2, -1, np.int64)
        self.hashes = np.empty(1, np.uint64)
        self.offsets = np.zeros(2, np.int64)
        self.pool = np.empty(1, np.uint8)
        self.count = np.zeros(1, np.int64)

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What the compiled functions take."""
        return self.slots, self.hashes, self.offsets, self.pool, self.count

    def reserve(self, *, strings: int, size: int) -> None:
        """Make room for so many more texts, of so many bytes together."""
        count = self.count[0]
        self.pool = _grown(self.pool, self.offsets[count] + size)
        self.hashes = _grown(self.hashes, count + strings)
        self.offsets = _grown(self.offsets, count + strings + 1)
        if 2 * (count + strings) > len(self.slots):
            self.slots = np.full(1 << int(2 * (count + strings)).bit_length(), -1, np.int64)
            _fill_slots(self.slots, self.hashes[:count])

    def to_arrow(self) -> pa.LargeStringArray:
        """Return the texts, in the order in which they were met; ArrowInvalid if they are not UTF-8."""
        count = int(self.count[0])
        offsets = self.offsets[: count + 1].copy()
        buffers = [pa.py_buffer(offsets), pa.py_buffer(self.pool[: offsets[-1]].copy())]
        strings = pa.LargeStringArray.from_buffers(count, *buffers)
        strings.validate(full=True)
        return strings


def _grown(array: np.ndarray, size: int) -> np.ndarray:
    if size <= len(array):
        return array
    longer = np.empty(max(size, 2 * len(array)), array.dtype)
    longer[: len(array)] = array
    return longer


@njit(cache=True, nogil=True)
def _fill_slots(slots, hashes):  # pragma: no cover (compiled)
    for i in range(len(hashes)):
        at = hashes[i] & np.uint64(len(slots) - 1)
        while slots[at] >= 0:
            at = (at + np.uint64(1)) & np.uint64(len(slots) - 1)
        slots[at] = i


@njit(cache=True, nogil=True)
def intern(
    text, begin, end, hint, slots, hashes, offsets, pool, count
):  # pragma: no cover (compiled)
    """Number of text[begin:end] in the table, which it joins if it is new; `hint` is a likely number, or -1."""
    if hint >= 0 and same(text, begin, end, pool, offsets[hint], offsets[hint + 1]):
        return hint
    value = np.uint64(14695981039346656037)  # FNV-1a
    for i in range(begin, end):
        value = (value ^ np.uint64(text[i])) * np.uint64(1099511628211)
    at = value & np.uint64(len(slots) - 1)
    while slots[at] >= 0:
        known = slots[at]
        if hashes[known] == value and same(
            text, begin, end, pool, offsets[known], offsets[known + 1]
        ):
            return known
        at = (at + np.uint64(1)) & np.uint64(len(slots) - 1)
    new = count[0]
    slots[at], hashes[new] = new, value
    offsets[new + 1] = offsets[new] + end - begin
    for i in range(end - begin):
        pool[offsets[new] + i] = text[begin + i]
    count[0] = new + 1
    return new


@njit(cache=True, nogil=True)
def same(a, a_begin, a_end, b, b_begin, b_end):  # pragma: no cover (compiled)
    if a_end - a_begin != b_end - b_begin:
        return False
    for i in range(a_end - a_begin):  # noqa: SIM110 (compiled)
        if a[a_begin + i] != b[b_begin + i]:
            return False
    return True
