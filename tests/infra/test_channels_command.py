"""`tillflow channels` as docs/channels.md has it: the sandbox first."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infra.commands.channels import channels

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "channels"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    for name in ("TILLFLOW_KAFKA", "TILLFLOW_WAREHOUSE_TOKEN", "ALIYUN_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def tillflow(line: str) -> Result:
    return CliRunner().invoke(channels, line.split())


def test_every_command_of_the_page_works(folder: Path) -> None:
    """Those of the sandbox; the others need keys or a broker."""
    page = (EXAMPLE.parents[1] / "channels.md").read_text("utf-8")
    lines = re.findall(r"^tillflow channels (.*--sandbox.*?)(?:\s+#.*)?$", page, re.M)
    assert len(lines) >= 3
    for line in lines:
        result = tillflow(line.replace("docs/examples/channels/", ""))
        assert result.exit_code == 0, (line, result.output)
    lines = (folder / "sent.jsonl").read_text("utf-8").splitlines()
    sent = [json.loads(line)["message"] for line in lines]
    assert sorted(name for name in sent if not name.startswith("test-")) == ["d1", "d3"]
    assert "13800000001" not in (folder / "sent.jsonl").read_text("utf-8")


def test_what_a_sandbox_has_done_was_not_sent(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that was tried out with must not keep real messages from being sent."""
    assert tillflow("run --events decisions.jsonl --sandbox sent.jsonl --once").exit_code == 0
    for name in ("ALIYUN_ACCESS_KEY_ID", "ALIYUN_ACCESS_KEY_SECRET"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("TILLFLOW_HOLDS_REDIS", "redis://127.0.0.1:1/0")
    for name in ("WECHAT_SECRET", "WECOM_SECRET"):
        monkeypatch.setenv(name, "x")
    result = tillflow("run --events decisions.jsonl --once")
    assert result.exit_code == 1
    assert "this store is that of a sandbox" in result.output


def test_a_second_run_sends_nothing_and_the_list_says_why(folder: Path) -> None:
    run = "run --events decisions.jsonl --sandbox sent.jsonl --once"
    assert tillflow(run).output.endswith("3 accepted\n")
    before = (folder / "sent.jsonl").read_bytes()
    assert tillflow(run).output.endswith("3 accepted\n")
    assert (folder / "sent.jsonl").read_bytes() == before
    assert "3 accepted" in tillflow("list").output
    assert "left to the" in tillflow("list --state accepted").output


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("check", "ALIYUN_ACCESS_KEY_ID is not set"),
        ("run --sandbox s.jsonl", "say where decisions come from"),
        ("test --sandbox s.jsonl --channel fax --member m1", "there is no channel fax"),
        ("test --sandbox s.jsonl --channel sms --member m3", "no phone of m3"),
        ("check --config nowhere.yaml", "nowhere.yaml cannot be read"),
        ("list", "there is no store channels.sqlite"),
        ("run --warehouse nowhere.duckdb --once --sandbox s", "nowhere.duckdb"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(line: str, said: str) -> None:
    result = tillflow(line)
    assert result.exit_code != 0
    assert said in result.output
    assert "Traceback" not in result.output


def test_contacts_without_a_column_that_a_channel_needs(folder: Path) -> None:
    (folder / "contacts.csv").write_text("member,phone\nm1,138\n", "utf-8")
    assert "have no column openid" in tillflow("check --sandbox s.jsonl").output
    (folder / "contacts.csv").write_text("member,phone\nm1\n", "utf-8")
    assert "row 2 has 1 cells of 2" in tillflow("check --sandbox s.jsonl").output
