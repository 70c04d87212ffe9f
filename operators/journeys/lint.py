"""What can be run but is hardly meant: checks over a whole journey, and over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from operators.journeys.compile import Read
from operators.journeys.findings import Path, Said
from operators.journeys.program import (
    Act,
    OnEvent,
    OnSchedule,
    Program,
    WaitEvent,
    WaitFor,
    WaitUntil,
)
from operators.journeys.units import spoken
from schemas.chain import Chain
from schemas.instants import MINUTE_US

Warned = tuple[Path, str, Said]


def lint(reads: Sequence[Read], chain: Chain) -> None:
    """Add to each file's findings what should be thought over; errors are there already."""
    names: dict[str, str] = {}
    for read in reads:
        program, source = read.program, read.source
        if program is None:
            continue
        for path, code, said in _warnings(program, read):
            source.add(path, code, said, warning=True)
        for path, code, said in _offers(program, read, chain):
            source.add(path, code, said)
        other = names.setdefault(program.name, source.name)
        if other != source.name:
            said = Said(
                f"{other} is journey {program.name}, too: give one of them another name",
                f"{other} 也叫“{program.name}”：请给其中一个换名",
            )
            source.add(("journey",), "name_twice", said)


def _warnings(program: Program, read: Read) -> Iterator[Warned]:
    acts = [node for node in program.nodes if isinstance(node, Act)]
    sends = [one for one in acts if one.verb == "send"]
    marketing = any(one.class_ == "marketing" for one in sends)
    plain = read.source.plain
    waits = any(isinstance(node, WaitFor | WaitUntil | WaitEvent) for node in program.nodes)
    if not acts:
        yield (
            ("steps",),
            "does_nothing",
            Said("no step does anything: there is no send, give, set or notify_staff",
                 "没有任何实际动作：缺少 发送、赠送、设置 或 通知店员"),
        )  # fmt: skip
    gives = [one for one in acts if one.verb == "give"]
    if gives and not program.holdout:
        yield (
            read.places.get(gives[0].step, ("steps",)),
            "no_holdout",
            Said("this gives something away and has no holdout: nobody will know whether it was "
                 "worth it; write `holdout: 10%`",
                 "有让利却没有对照组，无法知道是否值得：建议写 “对照组: 10%”"),
        )  # fmt: skip
    if marketing and waits and "opted_out" not in program.exit_events:
        yield (
            ("exit_when",) if "exit_when" in plain else ("steps",),
            "no_opt_out",
            Said("who opts out stays in this journey (nothing is sent to them): write "
                 "`exit_when: [opted_out]`",
                 "退订的会员仍留在旅程里（不会收到消息）：建议写 “退出条件: [退订]”"),
        )  # fmt: skip
    if isinstance(program.trigger, OnEvent) and "reenter" not in plain:
        yield (
            ("when",),
            "no_reenter",
            Said("a member comes in once in its life, for reenter is not said: write `never`, "
                 "`always` or `{once_per: 90d}`",
                 "未写“重入”，每位会员一生只进入一次：请写 从不、总是 或 {每隔: 90天}"),
        )  # fmt: skip
    if isinstance(program.trigger, OnSchedule) and marketing:
        yield from _quiet_schedule(program, program.trigger)
    yield from _quiet_length(program)
    if "purchase" in program.exit_events and program.goal is None:
        for node in program.nodes:
            if isinstance(node, WaitEvent) and node.event == "purchase":
                yield (
                    ("exit_when",),
                    "never_comes",
                    Said(f"step {node.step} waits for a purchase, but a purchase leaves the "
                         "journey first: its `then` is never taken",
                         f"步骤 {node.step} 等待购买，但购买会先退出旅程，“那么”永远不会执行"),
                )  # fmt: skip
    if not sends:
        for node in program.nodes:
            if isinstance(node, WaitEvent) and node.event in ("opened", "delivered", "failed"):
                yield (
                    read.places.get(node.step, ("steps",)),
                    "no_message",
                    Said(f"step {node.step} waits for what becomes of a message, and this journey "
                         "sends none: its `then` is never taken",
                         f"步骤 {node.step} 等待消息结果，但本旅程没有发送任何消息"),
                )  # fmt: skip
    for one in sends:
        if not one.text and not one.template:
            yield (
                read.places.get(one.step, ("steps",)),
                "no_text",
                Said(f"step {one.step} sends neither a text nor a template",
                     f"步骤 {one.step} 的发送没有文案也没有模板"),
            )  # fmt: skip
    if not read.tests:
        yield (
            (),
            "no_tests",
            Said("there is no test: write what has to happen to one member, see docs/journeys.md",
                 "没有测试：请写一个会员的例子和期望结果"),
        )  # fmt: skip
    for number, test in enumerate(read.tests):
        if not test.expect:
            yield (
                ("tests", number),
                "expects_nothing",
                Said(f"test {test.name} expects nothing, so it cannot fail",
                     f"测试“{test.name}”没有期望，永远不会失败"),
            )  # fmt: skip


def _quiet_schedule(program: Program, trigger: OnSchedule) -> Iterator[Warned]:
    minute = trigger.schedule.minute
    first = next((node for node in program.nodes if isinstance(node, Act | WaitUntil)), None)
    if isinstance(first, WaitUntil):
        return
    for begin, end in program.hours.quiet:
        inside = begin <= minute < end if begin < end else minute >= begin or minute < end
        if inside:
            yield (
                ("when", "schedule"),
                "quiet_schedule",
                Said(f"this comes inside the quiet hours {_clocks(begin, end)}: messages will "
                     f"wait until {_clock(end)}",
                     f"触发时间在免打扰 {_clocks(begin, end)} 之内，消息会等到 {_clock(end)}"),
            )  # fmt: skip


def _quiet_length(program: Program) -> Iterator[Warned]:
    for begin, end in program.hours.quiet:
        length = (end - begin) % 1440 * MINUTE_US
        if program.ttl < length:
            yield (
                ("limits", "ttl"),
                "short_ttl",
                Said(f"messages are given up after {spoken(program.ttl)}, the quiet hours "
                     f"{_clocks(begin, end)} are longer: what comes up in them is never sent",
                     f"消息 {spoken(program.ttl, 'zh')} 后作废，短于免打扰 {_clocks(begin, end)}，"
                     "夜间产生的消息永远发不出去"),
            )  # fmt: skip


def _offers(program: Program, read: Read, chain: Chain) -> Iterator[Warned]:
    """Offers on channels that may not speak of any."""
    gives = [node for node in program.nodes if isinstance(node, Act) and node.verb == "give"]
    if not gives:
        return
    for node in program.nodes:
        if not isinstance(node, Act) or node.verb != "send":
            continue
        for channel in node.channels:
            policy = chain.journeys.channels.get(channel)
            if policy is not None and not policy.offers:
                yield (
                    read.places.get(node.step, ("steps",)),
                    "offer_on_channel",
                    Said(f"step {node.step}: {channel} may not speak of gifts and coupons, and "
                         f"this journey gives {gives[0].gift}: take {channel} out",
                         f"步骤 {node.step}：{channel} 不得包含优惠内容，"
                         f"而本旅程赠送 {gives[0].gift}，请去掉该渠道"),
                )  # fmt: skip


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _clocks(begin: int, end: int) -> str:
    return f"{_clock(begin)}-{_clock(end)}"
