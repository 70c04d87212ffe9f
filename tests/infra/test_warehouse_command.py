"""`tillflow warehouse` and `tillflow query` over an address, as people call them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from small_warehouse import small_warehouse
from warehouse_server import READ_TOKEN, WRITE_TOKEN, ServedWarehouse

from infra.cli import main


def call(*arguments: object, token: str = "") -> Result:
    environ = {"TILLFLOW_WAREHOUSE_TOKEN": token}
    return CliRunner().invoke(main, [str(one) for one in arguments], env=environ)


def test_over_an_address(tmp_path: Path) -> None:
    """Answers are those of the file; a copy, the size, history and the log, while it is served."""
    file = small_warehouse(tmp_path / "served.duckdb")
    questions = [("summary",), ("position", "TEA-GREEN"), ("alerts", "--all"), ("dead-letters",)]
    asked = [("query", *question, "--format", "json", "--warehouse") for question in questions]
    answers = [json.loads(call(*question, file).stdout) for question in asked]
    with ServedWarehouse(tmp_path) as server:
        reader, writer = server.reader, server.address
        for question, answer in zip(asked, answers, strict=True):
            found = call(*question, reader, token=READ_TOKEN)
            assert found.exit_code == 0, found.output
            assert json.loads(found.stdout) == answer
        token_file = tmp_path / "served.duckdb.read-token"
        by_file = call("query", "runs", "--warehouse", reader, "--token-file", token_file)
        assert by_file.exit_code == 0, by_file.output
        unknown = call("query", "position", "T'EA", "--warehouse", reader, token=READ_TOKEN)
        assert "near it are" in unknown.output
        assert unknown.exit_code == 1
        nobody = call("query", "runs", "--warehouse", reader)
        assert "TILLFLOW_WAREHOUSE_TOKEN" in nobody.output

        status = call("warehouse", "status", "--warehouse", writer, token=WRITE_TOKEN)
        assert f"{writer} answers" in status.output
        assert "stock_position: about 6 rows" in status.output
        copy = tmp_path / "copy.duckdb"
        copied = call("warehouse", "backup", copy, "--warehouse", writer, token=WRITE_TOKEN)
        assert copied.exit_code == 0, copied.output
        assert json.loads(call(*asked[0], copy).stdout) == answers[0]
        arguments = ("warehouse", "retain", "--keep", "dead_letter=0", "--warehouse", writer)
        removed = call(*arguments, token=WRITE_TOKEN)
        assert removed.output.startswith("dead_letter: ")
        denied = call(*arguments[:-1], reader, token=READ_TOKEN)
        assert denied.exit_code == 1
        assert "may only read" in denied.output
        folded = call("warehouse", "compact", "--warehouse", writer, token=WRITE_TOKEN)
        assert "bytes before, 0 after" in folded.output
        locked = call("warehouse", "compact", "--warehouse", server.file)
        assert "is open in another process" in locked.output
        server.stop()
    gone = call("warehouse", "status", "--warehouse", writer, token=WRITE_TOKEN)
    assert gone.exit_code == 1
    compacted = call("warehouse", "compact", "--warehouse", file)
    assert compacted.exit_code == 0, compacted.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("retain",), "--days, or --keep TABLE=DAYS"),
        (("retain", "--keep", "dead_letter"), "not of the form TABLE=DAYS"),
        (("retain", "--keep", "stock_position=1"), "is no history"),
        (("status", "--warehouse", "nowhere.duckdb"), "no warehouse at nowhere.duckdb"),
        (("status", "--warehouse", "quack://x:y"), "quack://HOST:PORT"),
        (("serve", "w.duckdb", "--token-file", "/dev/null"), "holds no token"),
    ],
)
def test_what_is_refused(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = call("warehouse", *arguments)
    assert found.exit_code != 0
    assert words in found.output
