"""`tillflow coupon lint|publish|issue|show` with a real Redis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from coupon_desks import COUPONS
from redis_server import RedisServer, start_redis

from infra.commands.coupons import coupon
from sinks.coupons.protocol import digest


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with start_redis(tmp_path_factory.mktemp("redis")) as running:
        yield running


def run(*arguments: str) -> Result:
    return CliRunner().invoke(coupon, list(arguments))


def test_lint_says_what_is_promised(tmp_path: Path) -> None:
    file = tmp_path / "coupons.yaml"
    file.write_text(COUPONS, encoding="utf-8")
    told = run("lint", str(file))
    assert told.exit_code == 0
    assert "CNY 50.00 off from CNY 280.00; 5 days; alone" in told.output
    assert "costs at most CNY 30000.00" in told.output
    assert "costs at most CNY 1900.00" in told.output
    file.write_text(COUPONS.replace("amount: 5000", "amount: 50000"), encoding="utf-8")
    wrong = run("lint", str(file))
    assert wrong.exit_code == 1
    assert "coupons.yaml, line 9: coupons[1].amount" in wrong.output


def test_from_publish_to_show(server: RedisServer, tmp_path: Path) -> None:
    file = tmp_path / "coupons.yaml"
    file.write_text(COUPONS, encoding="utf-8")
    where = ("--redis", server.url)
    assert "desk all is empty" in run("show", *where).output
    closed = run("issue", "c280-50", "m1", "--message", "friday", *where)
    assert (closed.exit_code, "no campaign" in closed.output) == (1, True)
    assert "is open" in run("publish", str(file), "--first", *where).output

    made = run("issue", "c280-50", "m1", "m2", "--message", "friday", *where)
    assert made.exit_code == 0
    again = run("issue", "c280-50", "m1", "--message", "friday", *where)
    assert "(was there)" in again.output
    for day in ("sat", "sun"):
        run("issue", "c280-50", "m1", "--message", day, *where)
    capped = run("issue", "c280-50", "m1", "--message", "mon", *where)
    assert capped.exit_code == 1
    assert "as many as one may have" in capped.output

    shown = run("show", *where).output
    assert "4 of 1000" in shown
    cup = next(line.split() for line in shown.splitlines() if " cup " in f" {line}")
    assert cup.count("0.00") == 1  # used; a budget of no money is none of 0.00
    (one,) = json.loads(run("show", "--member", "m2", *where).output)
    assert (one["coupon"], one["state"]) == (f"friday:{digest('m2')}", "issued")
    assert json.loads(run("show", f"friday:{digest('m1')}", *where).output)["campaign"] == "c280-50"
    assert "no such coupon" in run("show", "nothing", *where).output
    assert "1 coupons name nobody" in run("erase", "m2", *where).output
    assert "has been erased" in run("issue", "c280-50", "m2", "--message", "sat", *where).output
    refused = run("publish", str(file), "--first", *where)
    assert "leave --first out" in refused.output
