"""Processes of customers beside a drill, and what their logs say in the end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from infra.drill.count import Paid
from infra.drill.rush import Rush

# A customer without an answer asks until there is one.
END_SECONDS = 120.0


@contextmanager
def crowd(folder: Path, rushes: Sequence[Rush]) -> Iterator[list[Path]]:
    """Customers who buy until the block ends; the logs they write."""
    logs, processes = [], []
    for rush in rushes:
        config, log = folder / f"{rush.name}.json", folder / f"{rush.name}.jsonl"
        config.write_bytes(msgspec.json.encode(rush))
        logs.append(log)
        command = [sys.executable, "-P", "-m", "infra.drill.rush", str(config), str(log)]
        processes.append(subprocess.Popen(command, stdin=subprocess.PIPE))
    try:
        yield logs
    finally:
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in processes:
            process.wait(END_SECONDS)


def read_logs(logs: Sequence[Path]) -> tuple[Counter[str], list[Paid], set[str]]:
    """Answers by call and state, payments that were told, payments that were asked for."""
    answers, paid, tried = Counter[str](), [], set()
    for log in logs:
        for line in map(json.loads, log.read_text("utf-8").splitlines()):
            answers[f"{line['did']} {line['state']}"] += 1
            if line["did"] != "confirm":
                continue
            tried.add(line["id"])
            if line["state"] == "confirmed":
                units = tuple((sku, place, number) for sku, place, number in line["units"])
                paid.append(Paid(line["id"], line["at"], units))
    return answers, paid, tried
