r"""Members: what they bought and gave back -> who is drifting, the moment it happens.

    files or topics -> blocks -> facts by shard -> members -> warehouse, and topics of its own
                            |                        \-> parts -> persons -/
                            \-> what is no event, who is whom --/

Journeys live where their members do: shards of both decide what is done to them.

Runs as `tillflow run members` and as `python -m bytewax.run flows.members` with TILLFLOW_*
settings.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from datetime import timedelta
from threading import Event
from typing import Any, TypeGuard

import bytewax.operators as op
from bytewax.dataflow import Dataflow, Stream

from flows.parts import Report, beside_batches, journals, own_settings, table_sink
from flows.process import prepare_process
from flows.settings import SHARDS, StockSettings, load_chain
from flows.steps import MembersStep as STEP
from operators.engine import FLUSH_AFTER, ShardLogic, Snapshot, system_clock
from operators.journeys.journeying import Rules
from operators.journeys.shards import JourneyMemberShard, JourneyPersonShard
from operators.members.decode import Decoded, MemberDecoder
from operators.members.facts import UNITED, MemberBatch, new_journeys, read_up
from operators.members.lines import TYPES
from operators.members.outcome import MembersOutcome
from operators.members.rules import MemberRules
from operators.records import NewFiles, ReadUp, RecordBlock
from operators.stock.decode import Block, BlockRead, Sharder
from operators.stock.refusals import Refusal
from sinks.kafka.events import DeadRecord
from sinks.kafka.partition import LogSink
from sinks.members.records import records_of
from sinks.members.table import MembersTable
from sources.abreast.partition import AbreastSource
from sources.journeys_watched import JourneyFiles
from sources.kafka.partition import KafkaSource
from sources.marked.partition import MarkedSource

TOPICS = TYPES
GROUP = "tillflow-members"
PERSONS = "persons"
# Time alone changes members: while weeks pass in a moment nearly all of them, again and again, and
# writing each of these rows costs more than all else.
FLUSH_BACKFILL = timedelta(seconds=30)
Beside = ReadUp | NewFiles
Item = tuple[str, MemberBatch | BlockRead | MembersOutcome | list[DeadRecord]]
Logic = ShardLogic[MemberBatch, MembersOutcome]


def build(settings: StockSettings, stop: Event, report: Report | None = None) -> Dataflow:
    """The dataflow; `stop` ends it cleanly, `report` is told its counts."""
    chain = load_chain(settings.config)
    rules = MemberRules(chain)
    files = JourneyFiles(settings.journeys, chain, settings.health)
    programs, health = files.load()
    with_journeys = Rules(chain, rules, programs, health)
    decoder = MemberDecoder(Sharder(SHARDS))
    kafka, live, keep = settings.kafka, settings.live, settings.recovery is not None
    journal = journals(settings, STEP.FLOW, {UNITED: PERSONS})

    def decode(blocks: list[Block | Beside]) -> Iterable[Item]:
        latest = system_clock() + rules.future
        for block in blocks:
            if isinstance(block, ReadUp | NewFiles):
                yield from _to_all(block)
            else:
                yield from _items(decoder.decode(block, latest))

    def decode_records(blocks: list[RecordBlock | Beside]) -> Iterable[Item]:
        latest = system_clock() + rules.future
        for block in blocks:
            if isinstance(block, ReadUp | NewFiles):
                yield from _to_all(block)
            else:
                yield from _items(decoder.decode_records(block, latest))

    def dressed(shard: JourneyMemberShard | JourneyPersonShard, resume: Snapshot | None) -> Logic:
        wait = FLUSH_AFTER if live else FLUSH_BACKFILL
        return ShardLogic(shard, journal, resume, live=live, keep_state=keep, flush_after=wait)

    def members(resume: Snapshot | None) -> Logic:
        awaits = source.list_parts() if live else []
        return dressed(JourneyMemberShard(with_journeys, journaled=keep, awaits=awaits), resume)

    def persons(resume: Snapshot | None) -> Logic:
        awaits = [*source.list_parts(), *map(_key, range(SHARDS))] if live else []
        shard = JourneyPersonShard(with_journeys, journaled=keep, awaits=awaits, senders=SHARDS + 1)
        return dressed(shard, resume)

    flow = Dataflow(STEP.FLOW)
    news = files.look if live else None
    source: MarkedSource[Block] | MarkedSource[RecordBlock]
    if kafka is None:
        lines = AbreastSource(settings.source, stop, follow=live)
        source = read = MarkedSource(lines, news)
        blocks = op.input(STEP.READ, flow, read)
        items = op.flat_map_batch(STEP.DECODE, blocks, decode)
    else:
        log = KafkaSource(kafka, settings.topics, settings.group, stop, tail=live)
        source = marked = MarkedSource(log, news)
        records = op.input(STEP.READ_KAFKA, flow, marked)
        items = op.flat_map_batch(STEP.DECODE_KAFKA, records, decode_records)
    split = op.branch(STEP.SPLIT, items, _is_batch)
    sides = op.branch(STEP.SIDES, split.trues, _is_of_persons)
    judged = op.stateful_batch(STEP.JUDGE, sides.falses, members)
    parts = op.flat_map(STEP.PARTS, judged, _parts)
    links = op.merge(STEP.WHO, sides.trues, parts)
    united = op.stateful_batch(STEP.PERSONS, links, persons)
    everything: Stream[tuple[str, Any]] = op.merge(STEP.MERGE, judged, united, split.falses)
    if kafka is not None:
        op.output(STEP.KAFKA, everything, LogSink(kafka, records_of))
    table = table_sink(MembersTable, settings, STEP.FLOW, stop, report)
    op.output(STEP.WAREHOUSE, everything, table)
    return flow


def _items(decoded: Decoded) -> Iterable[Item]:
    for batch in decoded.batches:
        yield (_key(batch.shard), batch)
    yield from beside_batches(decoded, _refused)


def _to_all(one: Beside) -> Iterable[Item]:
    """What every shard has to know."""
    for shard in (*range(SHARDS), UNITED):
        if isinstance(one, NewFiles):
            yield (_key(shard), new_journeys(shard, one.content))
        else:
            yield (_key(shard), read_up(shard, one.part))


def _key(shard: int) -> str:
    return PERSONS if shard == UNITED else f"{shard:02d}"


def _refused(refusals: list[Refusal]) -> MembersOutcome:
    return MembersOutcome([], [], [], refusals, [])


def _parts(item: tuple[str, MembersOutcome]) -> Iterable[tuple[str, MemberBatch]]:
    """What ids of persons add to them, as the shard of persons takes it."""
    key, outcome = item
    if outcome.read_up:
        yield (PERSONS, read_up(UNITED, key))
    parts = outcome.parts
    if parts or outcome.block:
        positions = array("Q", bytes(8 * len(parts)))
        about = (outcome.newest, outcome.newest_origin)
        batch = MemberBatch(UNITED, "", positions, list(parts), *about)
        yield (PERSONS, batch._replace(block=outcome.block))


def _is_batch(item: Item) -> TypeGuard[tuple[str, MemberBatch]]:
    return isinstance(item[1], MemberBatch)


def _is_of_persons(item: tuple[str, MemberBatch]) -> bool:
    return item[0] == PERSONS


def __getattr__(name: str) -> Dataflow:
    """`flow`, for `python -m bytewax.run flows.members`: made only when asked for."""
    if name != "flow":
        raise AttributeError(name)
    return build(own_settings(StockSettings.from_env(), TOPICS, GROUP), prepare_process())
