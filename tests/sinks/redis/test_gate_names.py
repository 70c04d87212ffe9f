"""Names and keys: what is different stays different, what is the same is known again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sinks.redis.hold_calls import fingerprint, pseudonym
from sinks.redis.keys import Keys
from sinks.redis.library import PARTS, load_library
from sinks.redis.protocol import REMEMBERED, Remembered

names = st.text(alphabet="ab:%{}3A|7B", min_size=1, max_size=6)


@given(names, names, names, names, names, names)
def test_different_names_make_different_keys_of_one_slot(
    pool: str, other_pool: str, sku: str, place: str, other: str, other_place: str
) -> None:
    keys = Keys(pool)
    made = [
        *keys.base,
        *keys.pair(sku, place),
        *keys.pair(other, other_place),
        keys.places(sku),
        keys.places(other),
        keys.reservation(sku),
        keys.customer("x"),
    ]
    assert all(key.startswith("{") and key.index("}") > 1 for key in made)
    assert len({key[: key.index("}")] for key in made}) == 1, "a key of another slot"
    assert (keys.pair(sku, place) == keys.pair(other, other_place)) == (
        (sku, place) == (other, other_place)
    )
    assert (keys.places(sku) == keys.places(other)) == (sku == other)
    assert (keys.tag == Keys(other_pool).tag) == (pool == other_pool)
    assert len(set(made[:6])) == 6


lines = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(("", "P1")), st.integers(1, 3)).map(list),
    min_size=1,
    max_size=5,
)


@given(lines, lines, st.sampled_from((None, "O", "")), st.sampled_from((None, "O")))
def test_a_fingerprint_is_of_the_units_not_of_their_order(
    mine: list[list[object]], other: list[list[object]], order: str | None, channel: str | None
) -> None:
    def units(rows: list[list[object]]) -> dict[tuple[object, object], int]:
        sums: dict[tuple[object, object], int] = {}
        for sku, place, quantity in rows:
            assert isinstance(quantity, int)
            sums[sku, place] = sums.get((sku, place), 0) + quantity
        return sums

    made = fingerprint(mine, order, channel, "")
    assert made == fingerprint(list(reversed(mine)), order, channel, "")
    assert (made == fingerprint(other, order, channel, "")) == (units(mine) == units(other))
    assert made != fingerprint(mine, "another", channel, "")
    assert made != fingerprint(mine, order, "another", "")
    assert made != fingerprint(mine, order, channel, "ann")


def test_a_customer_is_a_pseudonym_of_the_salt() -> None:
    assert pseudonym("pepper", None) == ""
    assert pseudonym("pepper", "ann") == pseudonym("pepper", "ann")
    assert pseudonym("pepper", "ann") != pseudonym("salt", "ann")
    assert "ann" not in pseudonym("pepper", "ann")


def test_what_is_remembered_has_an_end() -> None:
    known: Remembered[int, int] = Remembered()
    for number in range(REMEMBERED + 10):
        known.keep(number, number)
    assert len(known) == 10


def test_the_library_is_what_ships() -> None:
    library = load_library()
    assert all(f"calls.{call}(" in library.source for call in ("hold", "confirm", "project"))
    assert len(PARTS) == 6
    assert library.functions.startswith(f"#!lua name={library.name}\n")
    assert library.script.endswith("return dispatch(KEYS, ARGV)\n")
