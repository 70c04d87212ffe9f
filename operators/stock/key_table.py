"""A hash table of many 64-bit keys at once: columns of numbers instead of a dict of objects.

A dict costs an object and a cache miss or two for each key; here a batch of keys is looked up and
put in some passes over arrays (open addressing with linear probing, Knuth, "The Art of Computer
Programming" vol. 3, section 6.4).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

# What no key is, for it marks an empty slot.
_EMPTY = 0
_SMALLEST = 1024
# Slots for each key, at least: with half of them empty a search ends after two looks on average.
_SLOTS_EACH = 2


class KeyTable:
    """References (0 or more) by 64-bit keys; keys are hashes, so their low bits are random.

    Nothing is taken out of it one by one: whoever fills it begins anew with what is still wanted.
    """

    __slots__ = ("_count", "_keys", "_mask", "_refs")

    def __init__(self) -> None:
        self._clear(_SMALLEST)

    def _clear(self, slots: int) -> None:
        self._keys = np.full(slots, _EMPTY, np.int64)
        self._refs = np.zeros(slots, np.int64)
        self._mask = slots - 1
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def room(self, keys: int) -> bool:
        """Whether so many keys more find room without the table being made anew."""
        return (self._count + keys) * _SLOTS_EACH <= len(self._keys)

    def begin_anew(self, keys: int) -> None:
        """Forget everything; there is room for twice so many keys."""
        self._clear(max(_SMALLEST, 1 << (2 * keys * _SLOTS_EACH - 1).bit_length()))

    def put(self, keys: Integers, refs: Integers) -> Integers:
        """Put keys with their references where they are not known; what is known, for each.

        That is the reference given where a key was put, another one where it was there before. Of
        equal keys given together the first is put. There must be `room`.
        """
        keys = np.where(keys == _EMPTY, 1, keys)
        found = np.empty(len(keys), np.int64)
        left = np.arange(len(keys))
        slots = keys & self._mask
        while len(left):
            mine = keys[left]
            free = self._keys[slots] == _EMPTY
            # Of several that want one empty slot the first one has it, for it is written last.
            into = slots[free][::-1]
            self._keys[into] = mine[free][::-1]
            self._refs[into] = refs[left[free]][::-1]
            here = self._keys[slots] == mine
            at = left[here]
            found[at] = self._refs[slots[here]]
            self._count += int(np.count_nonzero(found[at] == refs[at]))
            left = left[~here]
            slots = (slots[~here] + 1) & self._mask
        return found

    def replace(self, key: int, ref: int) -> None:
        """Give a key that is known another reference."""
        self._refs[self._slot(key or 1)] = ref

    def find(self, key: int) -> int | None:
        """The reference of a key."""
        slot = self._slot(key or 1)
        return None if self._keys[slot] == _EMPTY else int(self._refs[slot])

    def _slot(self, key: int) -> int:
        """Where a key is, or the empty slot where it would be."""
        keys, mask = self._keys, self._mask
        slot = key & mask
        while True:
            there = keys.item(slot)
            if there in (key, _EMPTY):
                return slot
            slot = (slot + 1) & mask
