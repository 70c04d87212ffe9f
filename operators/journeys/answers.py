"""What is heard of a message, back in the journey that sent it."""

from __future__ import annotations

from operators.journeys.book import Book
from operators.journeys.program import Program
from operators.journeys.state import MemberJourneys, Run
from operators.members.facts import Answer

# With these a message has failed in all of its channels.
FINAL = ("expired", "erased", "no_channel")


def came_to(run: Run, program: Program, time: int) -> None:
    """What a run waits for has come."""
    node = program.nodes[run.node]
    run.node = getattr(node, "came", run.node + 1)
    run.waiting = ""
    run.due = time


def hear(state: MemberJourneys, book: Book, fact: Answer) -> bool:
    """Take what became of a message; whether a run goes on by it.

    Each run listens to the last message that it sent. `failed` is heard when it has failed in all
    channels that it might have gone in.
    """
    goes_on = False
    for run in state.runs:
        if run.message != fact.message:
            continue
        if fact.kind == "failed" and fact.reason not in FINAL:
            run.channels = [one for one in run.channels if one != fact.channel]
            if run.channels:
                continue
        if fact.kind not in run.heard:
            run.heard = [*run.heard, fact.kind]
        program = book.program(run.journey, run.version)
        if program is not None and run.waiting == fact.kind:
            came_to(run, program, fact.time)
            goes_on = True
    return goes_on
