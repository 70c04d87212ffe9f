"""A journey in sentences, in English or in Chinese."""

from __future__ import annotations

from collections.abc import Iterator

from operators.journeys.conditions import FIELDS, Both, money_spoken, segment_spoken
from operators.journeys.program import (
    Act,
    Branch,
    Jump,
    Leave,
    OnCrossing,
    OnEvent,
    OnSegment,
    OnSilence,
    Program,
    SplitArms,
    WaitEvent,
    WaitFor,
    WaitUntil,
)
from operators.journeys.units import days_spoken, spoken
from operators.journeys.wall import EVERY_DAY
from operators.members.experiments.definition import SLOTS

_EVENTS = {
    "purchase": ("a purchase", "购买"),
    "refund": ("a refund", "退款"),
    "registered": ("becoming a member", "入会"),
    "consent": ("a word on consent", "同意或撤回"),
    "opted_out": ("opting out", "退订"),
    "time": ("time alone", "到期"),
    "opened": ("the message being opened", "消息被打开"),
    "delivered": ("the message being delivered", "消息送达"),
    "failed": ("the message failing in all its channels", "消息在所有渠道都发送失败"),
}


def explain(program: Program, language: str = "en") -> list[str]:
    """The journey's sentences: who comes in, what is kept to, what happens, who leaves."""
    return [*head(program, language), *steps(program, language)]


def head(program: Program, language: str) -> list[str]:
    """What holds for the whole journey."""
    zh = language == "zh"
    found = [_trigger(program, language)]
    if program.who != Both(()):
        who = program.who.spoken(language)
        found.append(f"只限：{who}。" if zh else f"Only for members of whom is true: {who}.")
    if program.enrol_current:
        en = "When it first runs, it also lets in whom that is true of already."
        found.append(_of(language, en, "首次运行时，已符合条件的会员也会进入。"))
    found.append(_again(program, zh=zh))
    if program.holdout:
        part = f"{program.holdout / 100:g}%"
        en = f"{part} of members are held out: they get nothing and are compared with."
        found.append(_of(language, en, f"{part} 的会员作为对照组，什么也不会收到。"))
    found.append(_limits(program, language))
    outs = [_EVENTS[one][zh] for one in sorted(program.exit_events)]
    outs += [one.spoken(language) for one in program.exit_when]
    if outs:
        en = f"A member leaves at once on {' or '.join(outs)}."
        found.append(_of(language, en, f"遇到以下情况立即退出：{'、'.join(outs)}。"))
    if program.goal is not None:
        length = spoken(program.goal, language)
        en = f"The goal is a purchase within {length} of coming in, which ends it."
        found.append(_of(language, en, f"目标：进入后 {length} 内购买，达成即退出。"))
    return found


def _of(language: str, en: str, zh: str) -> str:
    return zh if language == "zh" else en


def _trigger(program: Program, language: str) -> str:
    trigger, zh = program.trigger, language == "zh"
    if isinstance(trigger, OnEvent):
        name = _EVENTS[trigger.event][zh]
        amount = ""
        if trigger.amount is not None:
            low, high = (None if one is None else money_spoken(one) for one in trigger.amount)
            amount = (
                f"，金额 {low or '不限'} 到 {high or '不限'}"
                if zh
                else f" of {low or 'anything'} to {high or 'anything'}"
            )
        return f"会员{name}时进入{amount}。" if zh else f"A member comes in on {name}{amount}."
    if isinstance(trigger, OnSegment):
        names = [segment_spoken(one, language) for one in trigger.segments]
        causes = [_EVENTS[one][zh] for one in trigger.causes if one in _EVENTS]
        if zh:
            because = f"（原因：{'、'.join(causes)}）" if causes else ""
            return f"会员变为{'、'.join(names)}时进入{because}。"
        because = f" because of {' or '.join(causes)}" if causes else ""
        return f"A member comes in on getting into {' or '.join(names)}{because}."
    if isinstance(trigger, OnSilence):
        length = spoken(trigger.length, language)
        en = f"A member comes in {length} after the last purchase."
        return _of(language, en, f"连续 {length} 未购买时进入。")
    if isinstance(trigger, OnCrossing):
        name = FIELDS[trigger.field][1][zh]
        money = FIELDS[trigger.field][0] == "money"
        level = money_spoken(trigger.level) if money else f"{trigger.level:,}"
        en = f"A member comes in when {name} comes to {level}, net of refunds."
        return _of(language, en, f"{name}达到 {level} 时进入（退款会扣减）。")
    schedule = trigger.schedule
    clock = f"{schedule.minute // 60:02d}:{schedule.minute % 60:02d}"
    en, local = {
        "member": ("by the member's clock", "会员当地"),
        "chain": ("by the chain's clock", "总部"),
    }[trigger.zone]
    if schedule.month_day is not None:
        day = f"每月 {schedule.month_day} 日" if zh else f"on day {schedule.month_day} of the month"
    elif schedule.days == EVERY_DAY:
        day = "每天" if zh else "every day"
    else:
        days = days_spoken(schedule.days, language)
        day = f"每{days}" if zh else f"every {days}"
    return _of(
        language, f"Members come in {day} at {clock} {en}.", f"{day} {clock}（{local}时间）进入。"
    )


def _again(program: Program, *, zh: bool) -> str:
    if program.reenter is None:
        return "每位会员只进入一次。" if zh else "Once in a member's life."
    if program.reenter == 0:
        en = "Every time it comes true, but never twice at the same time."
        return "每次触发都可再进入，同一时间只在一次之中。" if zh else en
    length = spoken(program.reenter, "zh" if zh else "en")
    return f"{length} 内只进入一次。" if zh else f"At most once in {length}."


def _limits(program: Program, language: str) -> str:
    zh = language == "zh"
    quiet = ", ".join(f"{b // 60:02d}:{b % 60:02d}-{e // 60:02d}:{e % 60:02d}" for b, e in
                      program.hours.quiet)  # fmt: skip
    age, ttl = spoken(program.max_age, language), spoken(program.ttl, language)
    days = "" if program.hours.days == EVERY_DAY else days_spoken(program.hours.days, language)
    if zh:
        hours = f"{quiet} 免打扰；" if quiet else ""
        on = f"只在{days}发送；" if days else ""
        capped = {"skip": "跳过该步", "wait": "等到有名额", "exit": "退出旅程"}[program.on_capped]
        return (
            f"营销消息：{hours}{on}超过频次时{capped}；等待超过 {ttl} 作废；"
            f"{age} 以前的事件不触发；优先级 {program.priority}。"
        )
    hours = f"not in the quiet hours {quiet}, " if quiet else ""
    on = f"only on {days}, " if days else ""
    capped = {
        "skip": "left out",
        "wait": "sent when there is room again",
        "exit": "not sent and the member leaves",
    }[program.on_capped]
    return (
        f"Marketing goes {hours}{on}{capped} when a member has had its share, and never more than "
        f"{ttl} late; what happened more than {age} ago lets nobody in; priority "
        f"{program.priority}."
    )


def steps(program: Program, language: str) -> list[str]:
    """One sentence a step, named as in decisions."""
    found = []
    for node in program.nodes:
        if isinstance(node, Jump):
            continue
        depth = "  " * (node.step.count(".") // 2)
        found += [f"{depth}{node.step}. {one}" for one in _step(node, language)]
    return found


def _step(node: object, language: str) -> Iterator[str]:
    zh = language == "zh"
    if isinstance(node, WaitFor):
        length = spoken(node.length, language)
        yield f"等待 {length}。" if zh else f"Wait {length}."
    elif isinstance(node, WaitUntil):
        clock = f"{node.minute // 60:02d}:{node.minute % 60:02d}"
        days = "" if node.days == EVERY_DAY else days_spoken(node.days, language) + " "
        yield f"等到{days}{clock}。" if zh else f"Wait until {days}{clock} by the member's clock."
    elif isinstance(node, WaitEvent):
        length, event = spoken(node.timeout, language), _EVENTS[node.event][zh]
        en = f"Wait for {event}, {length} at most: `then` if it comes, `else` if not."
        yield _of(language, en, f"最多等 {length}，看是否{event}；发生则走“那么”，否则走“否则”。")
    elif isinstance(node, Branch):
        test = node.condition.spoken(language)
        en = f"If {test}: `then`, or else: `else`."
        yield _of(language, en, f"如果{test}，走“那么”，否则走“否则”。")
    elif isinstance(node, SplitArms):
        shares = node.experiment.phase.shares()
        arms = ", ".join(f"{arm} {100 * part / SLOTS:g}%" for arm, part in shares.items())
        name = node.experiment.name
        if node.experiment.phase.released:
            en = f"Experiment {name} is decided: {arms}, which was in the control before, too."
            yield _of(language, en, f"实验 {name} 已推全：{arms}（原对照组中保留）。")
            return
        en = f"Experiment {name}: {arms}; a member is always in the same arm."
        yield _of(language, en, f"实验 {name}：{arms}，同一会员总在同一组。")
    elif isinstance(node, Leave):
        yield f"结束（{node.reason}）。" if zh else f"The journey ends ({node.reason})."
    elif isinstance(node, Act):
        yield _act(node, language)


def _act(node: Act, language: str) -> str:
    zh = language == "zh"
    if node.verb == "give":
        valid = "" if node.valid is None else spoken(node.valid, language)
        if zh:
            return f"赠送 {node.gift}{f'，有效期 {valid}' if valid else ''}。"
        return f"Give {node.gift}{f', valid for {valid}' if valid else ''}."
    if node.verb == "set":
        tags = ", ".join(f"{key} = {value}" for key, value in node.tags)
        return f"设置 {tags}。" if zh else f"Set {tags}."
    if node.verb == "notify_staff":
        return f"通知店员：{node.text}。" if zh else f"Tell staff: {node.text}."
    what = node.template or node.text or "-"
    kind = (
        {"marketing": "营销", "service": "服务"}[node.class_ or "marketing"] if zh else node.class_
    )
    how = ", ".join(node.channels)
    if zh:
        first = "按顺序选第一个可达渠道" if node.first_available else "所有可达渠道"
        again = "发送时再次检查同意、频次、免打扰和退出条件"
        return f"发送{kind}消息“{what}”（{how}，{first}）；{again}。"
    first = "the first that is possible of" if node.first_available else "all that are possible of"
    return (
        f"Send the {kind} message “{what}” by {first} {how}; consent, caps, quiet hours and ways "
        "out are judged again at that moment."
    )
