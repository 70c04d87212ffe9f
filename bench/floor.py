"""The floor: decode every movement and add it to a dict, nothing else. Run by bench.stock."""

from __future__ import annotations

import sys
from collections import Counter

import msgspec

from schemas.envelope import MovementEvent
from sources.blocks import BlockReader


def main(path: str) -> None:
    """Sum the quantities of a file by SKU and place."""
    decoder = msgspec.json.Decoder(MovementEvent)
    reader = BlockReader(path)
    on_hand: dict[tuple[str, str], int] = {}
    kinds: Counter[str] = Counter()
    while (block := reader.next_block()) is not None:
        for event in decoder.decode_lines(block.lines):
            movement = event.data
            key = (movement.sku, movement.place)
            on_hand[key] = on_hand.get(key, 0) + (movement.quantity or 0)
        kinds["lines"] += block.total
    print(len(on_hand), kinds["lines"])


if __name__ == "__main__":
    main(sys.argv[1])
