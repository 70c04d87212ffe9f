"""A worker that is killed at every step of a send and started again: one message a decision."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from channel_crash import STEPS, run_worker
from channel_server import ChannelServer
from channel_world import decided, subscribed

from sinks.channels.database import connect
from sinks.channels.listing import counts

COUNT = 3
# Between the note that a request leaves and the note of its answer, a crash leaves doubt.
DOUBTFUL = ("intended", "answered")


def states(folder: Path) -> dict[str, int]:
    with closing(connect(folder / "channels.sqlite")) as connection:
        return counts(connection)


def told(folder: Path) -> set[tuple[str, str]]:
    lines = (folder / "report.jsonl").read_text("utf-8").splitlines()
    return {(one["data"]["message"], one["data"]["status"]) for one in map(json.loads, lines)}


def write(folder: Path, channel: str) -> None:
    lines = [decided(number, (channel,)) for number in range(COUNT)]
    (folder / "events.jsonl").write_bytes(b"".join(lines))


@pytest.mark.parametrize("step", STEPS)
def test_a_short_message_comes_once(server: ChannelServer, tmp_path: Path, step: str) -> None:
    """Killed at `intended` it never left, at `answered` it did: the provider knows which."""
    write(tmp_path, "sms")
    assert run_worker(server.address, tmp_path, step) == -9
    assert run_worker(server.address, tmp_path) == 0
    assert Counter(one.address for one in server.arrived) == {f"1380000000{n}": 1 for n in range(3)}
    found = states(tmp_path)
    assert found.get("accepted", 0) + found.get("delivered", 0) == COUNT
    assert {(f"{n:032x}", "accepted") for n in range(COUNT)} <= told(tmp_path)


@pytest.mark.parametrize(
    "steps", [("answered", "asked"), ("intended", "asked"), ("answered", "learned")]
)
def test_a_second_kill_while_the_provider_is_asked(
    server: ChannelServer, tmp_path: Path, steps: tuple[str, str]
) -> None:
    write(tmp_path, "sms")
    for step in steps:
        assert run_worker(server.address, tmp_path, step) == -9
    assert run_worker(server.address, tmp_path) == 0
    assert len(server.arrived) == len(set(server.arrived)) == COUNT


@pytest.mark.parametrize("step", DOUBTFUL)
@pytest.mark.parametrize("channel", ["wecom", "wechat_template", "wechat_subscription"])
def test_other_providers_bring_it_once(
    server: ChannelServer, tmp_path: Path, channel: str, step: str
) -> None:
    write(tmp_path, channel)
    if channel == "wechat_subscription":
        grants = b"".join(subscribed(number) for number in range(COUNT))
        path = tmp_path / "events.jsonl"
        path.write_bytes(grants + path.read_bytes())
        server.credits = {f"openid-{number}": 1 for number in range(COUNT)}
    assert run_worker(server.address, tmp_path, step) == -9
    assert run_worker(server.address, tmp_path) == 0
    assert len(server.arrived) == len(set(server.arrived)) == COUNT
    # WeChat's refusal of the second request does not tell whether the first one arrived.
    doubt = channel == "wechat_subscription" and step == "answered"
    assert states(tmp_path) == ({"accepted": 2, "unknown": 1} if doubt else {"accepted": 3})


@pytest.mark.parametrize("step", DOUBTFUL)
def test_the_sandbox_file_has_it_once(tmp_path: Path, step: str) -> None:
    write(tmp_path, "sms")
    file = tmp_path / "out.jsonl"
    assert run_worker("", tmp_path, step, file) == -9
    assert run_worker("", tmp_path, sandbox=file) == 0
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert sorted(one["message"] for one in lines) == [f"{n:032x}" for n in range(COUNT)]


def test_a_subscription_in_doubt_with_consents_left_is_not_sent_again(
    server: ChannelServer, tmp_path: Path
) -> None:
    """With a second consent WeChat would take a second message: at most one, and it is shown."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(subscribed(0, 2) + decided(0, ("wechat_subscription",)))
    server.credits = {"openid-0": 2}
    assert run_worker(server.address, tmp_path, "answered") == -9
    assert run_worker(server.address, tmp_path) == 0
    assert len(server.arrived) == 1
    assert states(tmp_path) == {"unknown": 1}
    assert told(tmp_path) == {("0" * 32, "unknown")}


def test_a_replay_of_everything_sends_nothing(server: ChannelServer, tmp_path: Path) -> None:
    write(tmp_path, "sms")
    assert run_worker(server.address, tmp_path) == 0
    path = tmp_path / "events.jsonl"
    path.write_bytes(path.read_bytes() * 2)
    assert run_worker(server.address, tmp_path) == 0
    assert len(server.arrived) == COUNT
