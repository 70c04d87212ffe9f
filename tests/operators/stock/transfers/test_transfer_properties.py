"""Laws of suggestions over random histories of a small chain that really carries its goods."""

from __future__ import annotations

from random import Random

from depth import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from transfer_history import PLACES, played
from transfer_world import SKU, World, chain, position

from operators.stock.transfers.facts import TransferBatch
from operators.stock.transfers.shard import TransferShard
from schemas.instants import to_datetime
from schemas.transfer_rules import TransferRoute, TransferTerms

SEEDS = st.integers(0, 2**32)


@settings(max_examples=cases(25, 120), deadline=None)
@given(
    SEEDS,
    st.sampled_from(["hybrid", "reactive", "proactive"]),
    st.integers(1, 3),
    st.sampled_from([0.5, 2.0, 7.0]),
)
def test_donors_keep_their_level_nothing_is_promised_twice_nothing_goes_back(
    seed: int, mode: str, pack: int, cool_down: float
) -> None:
    """The checks are those of transfer_history.Chain, after every step."""
    terms = (TransferTerms(unit_margin=1_000, pack=pack),)
    played(seed, 80, World(chain(mode=mode, terms=terms, cool_down_days=cool_down)))


def test_the_histories_are_full_of_transfers() -> None:
    found = [played(seed, 80, World(chain(cool_down_days=2.0))) for seed in range(8)]
    assert sum(len(one.gone) for one in found) > 15
    statuses = {one.status for each in found for one in each.world.log}
    assert statuses >= {"proposed", "accepted", "rejected", "superseded", "shipped", "executed"}
    assert {one.mode for each in found for one in each.world.log} == {"reactive", "proactive"}


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(1, 9))
def test_a_machine_dumped_and_restored_anywhere_goes_on_the_same(seed: int, every: int) -> None:
    straight, cut = World(), World()
    played(seed, 50, straight)
    played(seed, 50, cut, restart_every=every)
    assert cut.log == straight.log
    assert cut.alerts == straight.alerts
    assert cut.shard.dump() == straight.shard.dump()
    assert cut.shard.due(0) == straight.shard.due(0)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_the_journal_brings_the_state_back(seed: int) -> None:
    world = World()
    replayed = TransferShard(world.rules, journaled=True)
    apply, tick = world.shard.apply, world.shard.tick
    entries: list[bytes] = []

    def applied(batches: list[TransferBatch], now: int) -> object:
        out = apply(batches, now)
        entries.append(world.shard.journal_entry())
        return out

    def ticked(now: int) -> object:
        out = tick(now)
        entries.append(world.shard.tick_entry(now))
        return out

    world.shard.apply, world.shard.tick = applied, ticked  # type: ignore[assignment, method-assign]
    played(seed, 40, world)
    for entry in entries:
        replayed.replay(entry)
    assert replayed.dump() == world.shard.dump()
    assert replayed.due(0) == world.shard.due(0)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.randoms(use_true_random=False))
def test_suggestions_do_not_depend_on_the_order_of_the_positions(seed: int, order: Random) -> None:
    rng = Random(seed)
    # Two versions of each place; the older one may come after the newer one.
    facts = [
        position(
            name,
            rng.randrange(0, 50),
            rng.choice([0.1, 1.0, 3.0]),
            version=version,
            as_of=to_datetime(World().now),
        )
        for name in PLACES
        for version in (1, 2)
    ]
    found = []
    for shuffled in (facts, order.sample(facts, len(facts))):
        world = World()
        for fact in shuffled:
            world.tell(fact)
        world.wait(hours=1)
        found.append(world.log)
    assert found[0] == found[1]


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(0, 400), st.integers(0, 4_000))
def test_a_higher_price_of_the_road_never_moves_more(seed: int, unit: int, fixed: int) -> None:
    def benefit(unit_cost: int, fixed_cost: int) -> int:
        route = TransferRoute(fixed_cost=fixed_cost, unit_cost=unit_cost, lead_time_hours=2)
        world = World(chain(routes=(route,)))
        rng = Random(seed)
        world.tell(*(position(name, rng.randrange(0, 60)) for name in PLACES))
        world.wait(hours=1)
        return sum(one.net_benefit for one in world.log if one.sku == SKU)

    # Whole units of money are cut off each suggestion, so a few of them may be missing.
    assert benefit(unit, fixed) <= benefit(0, 0) + len(PLACES)
