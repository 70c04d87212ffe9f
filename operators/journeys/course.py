"""One member on its way through one journey: from where it stands to where it next has to wait."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

from operators.journeys.consents import opted_out
from operators.journeys.decisions import Decision, Moved, decision_id, moved
from operators.journeys.gate import Gate, Judged
from operators.journeys.program import (
    Act,
    Branch,
    Jump,
    Leave,
    Program,
    SplitArms,
    WaitEvent,
    WaitFor,
    WaitUntil,
)
from operators.journeys.state import Kept, MemberJourneys, Run
from operators.journeys.triggers import not_so
from operators.journeys.view import Happening, View
from operators.journeys.wall import next_clock
from operators.members.experiments.assignment import assign
from operators.members.segments import code_of
from schemas.instants import SECOND_US

Said = Decision | Moved


class Traveller(NamedTuple):
    """A member at the moment when its journeys go on."""

    name: str
    state: MemberJourneys
    view: View
    zone: ZoneInfo
    now: int


def out_by_event(run: Run, program: Program, view: View, happened: Happening) -> str | None:
    """Why what happened ends a run, None if it does not."""
    last = view.figures.last
    bought = (
        happened.kind == "purchase" and last is not None and (run.last is None or last > run.last)
    )
    since = happened.time - run.entered_at
    if bought and program.goal is not None and 0 <= since <= program.goal:
        return "goal"
    if bought and "purchase" in program.exit_events:
        return "purchase"
    if happened.kind == "refund" and "refund" in program.exit_events:
        return "refund"
    return None


def out_by_state(program: Program, member: MemberJourneys, view: View) -> str | None:
    """Why a run has to end as the member is now, None if it need not."""
    if "opted_out" in program.exit_events and opted_out(view.consents):
        return "opted_out"
    if any(one.holds(view, member.tags) for one in program.exit_when):
        return "condition"
    return None


def leave(
    who: Traveller, run: Run, program: Program, reason: str, happened: Happening | None = None
) -> Moved:
    """End a run, by what happened or by itself."""
    who.state.runs.remove(run)
    before = who.state.entered.get(run.journey)
    if before is not None and before.times == 1 and not_so(program, run, who.view, who.now):
        del who.state.entered[run.journey]
    late = (
        happened is not None
        and happened.kind == "purchase"
        and run.acted_at is not None
        and happened.time < run.acted_at
    )
    return moved(who.name, run, program, who.now, reason, regret=late)


def go_on(who: Traveller, run: Run, program: Program, gate: Gate) -> Iterator[Said]:
    """Do what is due, up to the next wait or the end."""
    now = who.now
    node = program.nodes[run.node]
    if now - max(run.due, run.entered_at) > program.ttl and not isinstance(node, Leave):
        # The flow stood still: what it should have done long ago helps nobody now.
        yield leave(who, run, program, "expired")
        return
    if not_so(program, run, who.view, now):
        yield leave(who, run, program, "condition")
        return
    while True:
        why = out_by_state(program, who.state, who.view)
        if why is not None:
            yield leave(who, run, program, why)
            return
        node = program.nodes[run.node]
        if isinstance(node, WaitFor):
            run.node += 1
            run.due = now + node.length
            break
        if isinstance(node, WaitUntil):
            run.node += 1
            run.due = next_clock(now, node.minute, who.zone, node.days, node.grace)
            if run.due > now:
                break
        elif isinstance(node, WaitEvent):
            if not run.waiting and node.event in run.heard:
                run.node = node.came
            elif not run.waiting:
                run.waiting = node.event
                run.due = now + node.timeout
                break
            else:
                run.waiting = ""
                run.node = node.missed
        elif isinstance(node, Branch):
            run.node = node.yes if node.condition.holds(who.view, who.state.tags) else node.no
        elif isinstance(node, SplitArms):
            _choose(who, run, node)
        elif isinstance(node, Jump):
            run.node = node.to
        elif isinstance(node, Act):
            decided = _act(who, run, program, node, gate)
            yield decided
            if decided.decision == "defer":
                assert decided.next_at is not None
                run.due = decided.next_at
                break
            run.first_due, run.deferred = None, 0
            if decided.action == "send" and decided.decision == "go":
                run.message, run.channels, run.heard = decided.id, list(decided.channels), []
            if decided.reason == "cap" and program.on_capped == "exit":
                yield leave(who, run, program, "cap")
                return
            run.node += 1
        else:
            watched = run.entered_at + (program.goal or 0)
            if node.reason == "done" and watched > now:
                run.due = watched
                break
            yield leave(who, run, program, node.reason)
            return
    yield moved(who.name, run, program, now)


def _choose(who: Traveller, run: Run, node: SplitArms) -> None:
    kept = who.state.arms.get(node.experiment.name)
    found = assign(node.experiment, who.name, kept.assignment() if kept is not None else None)
    # Arms that were taken out of the file since cannot be followed any more.
    arm = found.arm if found is not None and found.arm in node.places else next(iter(node.places))
    if kept is None and found is not None:
        who.state.arms[node.experiment.name] = Kept(arm, found.phase, who.now)
    run.experiment, run.arm = node.experiment.name, arm
    run.node = node.places[arm]


def _act(who: Traveller, run: Run, program: Program, act: Act, gate: Gate) -> Decision:
    """Decide one action, and remember it."""
    now, state = who.now, who.state
    if run.first_due is None:
        run.first_due = now
    if act.verb == "send":
        sent = state.sent = [at for at in state.sent if at > now - gate.longest]
        judged = gate.judge(act, program, who.view, sent, run.first_due, now, who.zone)
    else:
        judged = Judged("go", "", None, ())
    if judged.verdict == "go" and run.held_out:
        judged = judged._replace(verdict="suppress", reason="holdout")
    if judged.verdict == "go":
        if act.verb == "send" and act.class_ == "marketing":
            state.sent.append(now)
        state.tags |= dict(act.tags)
        run.acted_at = now
    if judged.verdict == "defer":
        run.deferred += 1
    figures = who.view.figures
    return Decision(
        id=decision_id(who.name, run, act.step),
        member=who.name,
        journey=run.journey,
        journey_version=run.version,
        entry=run.entry,
        step=act.step,
        action=act.verb,
        decision=judged.verdict,
        reason=judged.reason,
        decided_at=now,
        first_due=run.first_due,
        next_at=judged.until,
        not_after=run.first_due + program.ttl,
        message_class=act.class_,
        channels=judged.channels,
        text=act.text,
        template=act.template,
        first_available=act.first_available,
        gift=act.gift,
        valid_seconds=None if act.valid is None else act.valid // SECOND_US,
        tags=act.tags,
        held_out=run.held_out,
        experiment=run.experiment,
        arm=run.arm,
        zone=who.zone.key,
        segment=code_of(figures.segment),
        visits=figures.visits,
        spent=figures.spent,
    )
