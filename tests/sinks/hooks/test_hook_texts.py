"""Texts: complete in both languages, editable without code, and lint names the line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hook_alerts import alert, writer

from operators.notify.case import Item, Message
from operators.notify.inbox import notice_of_envelope
from operators.notify.notice import Notice, notice_of
from operators.notify.routing import Zones
from schemas.hooks import Language
from schemas.hooks_file import HooksProblem
from schemas.transfer import TRANSFER_SUGGESTION_TYPE
from sinks.hooks.templates import FIELDS, LANGUAGES, SHIPPED, WORDS, load_texts, read_template
from sinks.hooks.wording import Writer

NOW = 1_795_000_000_000_000


def notice(**more: object) -> Notice:
    made = notice_of_envelope(alert(**more))  # type: ignore[arg-type]
    assert made is not None
    return made


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_shipped_texts_are_complete(language: Language) -> None:
    texts = load_texts(language)
    assert set(texts.words) == WORDS
    assert set(texts.templates) == set(FIELDS)


def test_the_two_languages_name_the_same_fields() -> None:
    zh, en = (load_texts(language).templates for language in LANGUAGES)
    for name in FIELDS:
        used = [
            {field for line in (text.title, *text.body) for field in line.parts[1::2]}
            for text in (zh[name], en[name])
        ]
        assert used[0] == used[1], name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title\nSKU {skuu}", "own/raised.txt, line 2: there is no field {skuu} here; did you"),
        ("title\n\nx {", "line 3: a brace alone; write {{"),
        ("", "line 1: the first line is the title"),
    ],
)
def test_a_wrong_text_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(HooksProblem) as caught:
        read_template(text, FIELDS["raised"], "own/raised.txt")
    assert said in str(caught.value)


def test_own_texts_take_the_place_of_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "zh").mkdir()
    (tmp_path / "zh" / "raised.txt").write_text("{sku} {{!}}\n**{type}** 在 {place_name}", "utf-8")
    (tmp_path / "zh" / "words.txt").write_text("type.oversell = 卖多了\n", "utf-8")
    own = Writer(Zones("Asia/Shanghai"), {}, None, tmp_path)
    message = Message("r", "raised", (Item("raised", notice()),), NOW)
    written = own.write(message, "zh", "wecom", 4096)
    assert written.title == "TEA-1 {!}"
    assert written.body == "**卖多了** 在 S01"
    assert "oversell" in own.write(message, "en", "plain", 4096).body


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rased.txt", "x", "did you mean raised.txt"),
        ("words.txt", "type.oversel = x", "line 1: there is no word type.oversel; did you mean"),
        ("words.txt", "# fine\nno sign", "line 2: expected key = text"),
    ],
)
def test_misspelled_files_and_words_are_told(
    tmp_path: Path, name: str, content: str, said: str
) -> None:
    shutil.copytree(SHIPPED / "en", tmp_path / "en")
    (tmp_path / "en" / name).write_text(content, "utf-8")
    with pytest.raises(HooksProblem) as caught:
        load_texts("en", tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["raised", "updated", "cleared", "escalated"])
def test_every_kind_reads_well(language: Language, kind: str) -> None:
    status = {"escalated": "raised"}.get(kind, kind)
    made = notice(status=status, observed=-3)
    message = Message("r", kind, (Item(kind, made),), NOW)  # type: ignore[arg-type]
    written = writer().write(message, language, "plain", 4096)
    assert "TEA-1" in written.title
    assert "{" not in written.title + written.body
    assert ("https://shop.example/a/" in written.body) == (kind != "cleared")
    assert not any(
        line.rstrip().endswith((":", "\uff1a")) for line in written.body.split("\n- ")[-1:]
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_suggested_transfer_names_both_places(language: Language) -> None:
    side = '{"available": 5, "days_of_cover": 2.5}'
    data = f"""{{"suggestion": "t1", "sku": "TEA-1", "from_place": "S01", "to_place": "S02",
      "quantity": 6, "pack_multiple": 6, "mode": "reactive", "reason_codes": ["short"],
      "donor_before": {side}, "donor_after": {side}, "taker_before": {side},
      "taker_after": {side}, "expected_lost_sales_avoided": 3.0, "transport_cost": 0,
      "net_benefit": 100, "lead_time_h": 4.0, "needed_by": "2026-11-24T00:00:00Z",
      "not_after": "2026-11-25T00:00:00Z", "pegged_orders": ["o1"], "based_on_versions": [1, 2],
      "status": "proposed", "version": 1, "updated_at": "2026-11-23T00:00:00Z"}}"""
    made = notice_of(TRANSFER_SUGGESTION_TYPE, data.encode())
    assert made is not None
    message = Message("r", "raised", (Item("raised", made),), NOW)
    written = writer().write(message, language, "plain", 4096)
    for part in ("TEA-1", "6", "南京东路店", "S02", "o1"):
        assert part in written.body
