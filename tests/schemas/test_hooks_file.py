"""hooks.yaml: what is wrong with it is told with its line and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.hooks import WeCom
from schemas.hooks_file import HooksProblem, load_hooks, read_hooks
from schemas.secrets import Secret

DOCS = Path(__file__).resolve().parents[2] / "docs" / "examples" / "hooks.yaml"
GOOD = """channels:
  shop:
    type: wecom
    key: env:WECOM_KEY
routes:
  - name: all
    channel: shop
    quiet: "22:00-08:00"
  - name: boss
    channel: shop
    only_escalated: true
"""


def test_a_small_file_is_enough() -> None:
    hooks = read_hooks(GOOD)
    channel = hooks.channels["shop"]
    assert isinstance(channel, WeCom)
    assert (channel.per_minute, hooks.language, hooks.routes[0].passes) == (20, "zh", ("critical",))


def test_the_example_of_the_docs_is_fine() -> None:
    assert len(load_hooks(DOCS).routes) >= 3


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("type: wecom", "type: wecome", 3, "wecome"),
        ("key: env:WECOM_KEY", "key: 693a-the-key", 4, "say env:NAME"),
        ("    key: env:WECOM_KEY\n", "", 2, "key"),
        ("    key: env:WECOM_KEY", "    key: env:K\n    per_minute: 21", 5, "<= 20"),
        ("channel: shop", "channel: shpo", 7, "there is no channel shpo; did you mean shop?"),
        ('"22:00-08:00"', '"22:00"', 8, "quiet"),
        ('"22:00-08:00"', '"08:00-08:00"', 8, "begins and ends"),
        ("name: boss", "name: all", 9, "two routes named all"),
        ("only_escalated: true", "only_escalate: true", 11, "no setting only_escalate"),
        ("only_escalated: true", "escalate: {to: nobody}", 11, "there is no route nobody"),
        ("only_escalated: true", "escalate: {to: boss}", 11, "circle: boss -> boss"),
        ("only_escalated: true", "digest:\n      over: 0", 12, ">= 1"),
        ("only_escalated: true", "severities: [critical, hihg]", 11, "hihg"),
        ("routes:", "timezone: Asia/Shanghia\nroutes:", 5, "no time zone"),
        ("routes:", "colour: red\nroutes:", 5, "no setting colour"),
        ("    type: wecom", "    type: [wecom", 4, "no YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(old: str, new: str, line: int, said: str) -> None:
    assert old in GOOD
    with pytest.raises(HooksProblem) as caught:
        read_hooks(GOOD.replace(old, new, 1))
    assert f"line {line}:" in str(caught.value)
    assert said in str(caught.value)


def test_an_empty_file_is_told_what_to_be() -> None:
    with pytest.raises(HooksProblem, match="expected channels and routes"):
        read_hooks("")


def test_secrets_come_from_the_environment_or_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")
    assert Secret("env:A").read({"A": "from-env"}) == "from-env"
    assert Secret(f"file:{tmp_path}/key").read({}) == "from-file"
    with pytest.raises(LookupError, match="env:A is not set"):
        Secret("env:A").read({})
    with pytest.raises(LookupError, match="cannot be read"):
        Secret("file:/nowhere/at/all").read({})
