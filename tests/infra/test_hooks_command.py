"""`tillflow hooks` as people call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hook_alerts import alert, environment
from hook_server import HookServer, errcode, start_hook_server

from infra.commands.hooks import hooks


@pytest.fixture
def server() -> Iterator[HookServer]:
    with start_hook_server() as started:
        yield started


@pytest.fixture
def config(server: HookServer, tmp_path: Path) -> Path:
    path = tmp_path / "hooks.yaml"
    path.write_text(
        f"""channels:
  shop: {{type: wecom, key: env:WECOM_KEY, url: "{server.address}"}}
routes:
  - {{name: all, channel: shop, severities: [critical, high]}}
retry: {{first_seconds: 0.01, attempts: 1}}
""",
        "utf-8",
    )
    return path


def call(server: HookServer, *arguments: object) -> Result:
    runner = CliRunner(env={**environment(server), "COLUMNS": "300"})
    return runner.invoke(hooks, [str(each) for each in arguments])


def test_a_route_is_tried_and_the_answer_shown(server: HookServer, config: Path) -> None:
    done = call(server, "test", "--config", config, "--route", "all")
    assert done.exit_code == 0, done.output
    assert "all over shop: sent: errcode 0: ok" in done.output
    (request,) = server.taken
    assert "tillflow 测试消息" in request.text
    server.plans = [errcode(93000, "invalid webhook url")]
    failed = call(server, "test", "--config", config, "--route", "all")
    assert failed.exit_code == 1
    assert "refused: errcode 93000" in failed.output
    assert "there are all" in call(server, "test", "--config", config, "--route", "al").output


def test_what_failed_is_listed_and_sent_again(
    server: HookServer, config: Path, tmp_path: Path
) -> None:
    events, store = tmp_path / "alerts.jsonl", tmp_path / "hooks.sqlite"
    events.write_bytes(alert(1) + alert(2) + b"rubbish\n")
    run = ("run", "--config", config, "--store", store, "--events", events, "--once")
    server.plans = [errcode(99999, "something new")]
    assert call(server, *run).exit_code == 0
    listed = call(server, "list", "--store", store).output
    assert "something new" in listed
    assert "undeliverable" in listed
    assert "not readable" in listed
    assert "1 sent, 1 undeliverable" in listed
    again = call(server, "resend", "--store", store, "--state", "undeliverable")
    assert "1 messages are ready again" in again.output
    assert call(server, *run).exit_code == 0
    assert "2 sent" in call(server, "list", "--store", store, "--state", "sent").output
    assert len(server.taken) == 2
    unknown = call(server, "resend", "--store", store, "no-such-message")
    assert unknown.exit_code == 1
    assert "neither unknown nor undeliverable" in unknown.output


def test_check_names_channels_and_what_nobody_hears(server: HookServer, config: Path) -> None:
    done = call(server, "check", "--config", config)
    assert done.exit_code == 0, done.output
    assert "channel shop (WeCom): all" in done.output
    assert "no route takes warning alerts" in done.output
    assert "critical" not in done.output


def test_a_missing_secret_is_named_and_not_guessed(server: HookServer, config: Path) -> None:
    runner = CliRunner(env={"WECOM_KEY": ""})
    done = runner.invoke(hooks, ["check", "--config", str(config)])
    assert done.exit_code == 1
    assert "env:WECOM_KEY is not set" in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "--config", "nowhere.yaml"), "nowhere.yaml cannot be read"),
        (("list", "--store", "nowhere.sqlite"), "there is no store"),
        (("resend", "--store", "nowhere.sqlite"), "name messages, or --state"),
    ],
)
def test_mistakes_are_told_in_a_line(
    server: HookServer, arguments: tuple[str, ...], said: str
) -> None:
    done = call(server, *arguments)
    assert done.exit_code != 0
    assert said in done.output


def test_run_wants_to_know_where_alerts_come_from(
    server: HookServer, config: Path, tmp_path: Path
) -> None:
    store = tmp_path / "hooks.sqlite"
    done = call(server, "run", "--config", config, "--store", store)
    assert done.exit_code == 2
    assert "--kafka, --events or --warehouse" in done.output
    links = call(server, "run", "--config", config, "--store", store, "--listen", "127.0.0.1:0")
    assert "has no links" in links.output
