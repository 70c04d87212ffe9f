"""Messages in words: the fields of an alert for the templates, in a language and a zone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from operators.notify.case import Item, Message
from operators.notify.routing import Zones
from schemas.hooks import Language
from schemas.instants import MINUTE_US, format_instant, parse_instant, to_datetime
from sinks.hooks.channels import Outgoing
from sinks.hooks.links import LinkSigner
from sinks.hooks.markup import MarkupName, cut, escaped, finished, link
from sinks.hooks.staffing_words import proposal_lines, staffing_fields
from sinks.hooks.templates import LANGUAGES, STAFFING, Texts, load_texts

# How much of a long list is shown; a text that is still too long shows less.
_SHOWN = (20, 10, 5, 2, 0)
_FIRST_CLAIMS = 5


class Writer:
    """Writes messages in both languages.

    Raises:
        HooksProblem: a template is wrong; names file and line.
    """

    def __init__(
        self,
        zones: Zones,
        names: Mapping[str, str],
        links: LinkSigner | None,
        own_templates: Path | None = None,
    ) -> None:
        self._zones = zones
        self._names = names
        self._links = links
        self._texts = {language: load_texts(language, own_templates) for language in LANGUAGES}

    def texts(self, language: Language) -> Texts:
        """Templates and words of a language."""
        return self._texts[language]

    def write(
        self,
        message: Message,
        language: Language,
        markup: MarkupName,
        limit: int,
        *,
        linked: bool = True,
    ) -> Outgoing:
        """The message as it is sent, no longer than `limit` bytes."""
        url = ""
        if self._links is not None and linked and any(item.notice.open for item in message.items):
            url = self._links.link(message.id, message.made_at)
        for shown in _SHOWN:
            title, body = self._filled(message, language, markup, url, shown)
            if len(body.encode()) <= limit:
                break
        gravest = min((item.notice for item in message.items), key=lambda notice: notice.rank)
        return Outgoing(
            id=message.id,
            title=title,
            body=cut(body, limit),
            severity=gravest.severity,
            thread=message.items[0].notice.alert if len(message.items) == 1 else message.route,
            data=_data(message, title, body, url),
        )

    def write_test(
        self, route: str, channel: str, language: Language, markup: MarkupName, now: int
    ) -> Outgoing:
        """The message that tries a route."""
        fields = {"route": route, "channel": channel, "time": format_instant(now)}
        title, body = self._texts[language].templates["test"].fill(fields)
        name = f"test-{now}"
        data = {"id": name, "kind": "test", "route": route, "title": title}
        return Outgoing(name, title, finished(body, markup), "warning", name, data)

    def _filled(
        self, message: Message, language: Language, markup: MarkupName, url: str, shown: int
    ) -> tuple[str, str]:
        texts = self._texts[language]
        words = texts.words
        linked = link(words["link.acknowledge"], url, markup) if url else ""
        if message.kind != "digest":
            item = message.items[0]
            name: str = item.kind
            if item.notice.type == "transfer_suggestion" and item.notice.open:
                name = "transfer"
            elif item.notice.type in STAFFING:
                name = "staffing" if item.notice.open else "staffing_cleared"
            template = texts.templates[name]
            fields = self._fields(item, message.made_at, words, markup, shown)
            plain = self._fields(item, message.made_at, words, "plain", shown)
            fields["link"] = plain["link"] = linked
        else:
            template = texts.templates["digest"]
            gravest = min((item.notice for item in message.items), key=lambda notice: notice.rank)
            lines = [
                texts.templates[_line_of(item)].fill(
                    self._fields(item, message.made_at, words, markup, 0)
                )[0]
                for item in message.items[:shown]
            ]
            left = len(message.items) - len(lines)
            fields = plain = {
                "severity": words[f"severity.{gravest.severity}"],
                "icon": words[f"icon.{gravest.severity}"],
                "count": str(len(message.items)),
                "lines": "\n".join(lines),
                "more": words["digest.more"].replace("{count}", str(left)) if left else "",
                "link": linked,
            }
        # A title is shown as it is, also by chats that know markup.
        title = template.fill(plain)[0].replace("**", "")
        return title, finished(template.fill(fields)[1], markup)

    def _fields(
        self, item: Item, made_at: int, words: Mapping[str, str], markup: MarkupName, claims: int
    ) -> dict[str, str]:
        notice = item.notice
        more = notice.more
        until = notice.cleared_at if notice.cleared_at is not None else made_at
        fields = {
            "change": words[f"kind.{item.kind}"],
            "severity": words.get(f"severity.{notice.severity}", notice.severity),
            "icon": words.get(f"icon.{notice.severity}", ""),
            "type": words.get(f"type.{notice.type}", notice.type),
            "sku": notice.sku,
            "place": notice.place,
            "place_name": self._names.get(notice.place, notice.place),
            "observed": str(notice.observed),
            "level": str(notice.level),
            "clear_level": str(notice.clear_level),
            "shortfall": str(notice.shortfall),
            "opened": self._wall(notice.opened_at, notice.place),
            "updated": self._wall(notice.updated_at, notice.place),
            "cleared": (
                self._wall(notice.cleared_at, notice.place) if notice.cleared_at is not None else ""
            ),
            "lasted": _lasted(until - notice.opened_at, words),
            "action": words.get(f"action.{notice.type}", notice.action),
            "alert": notice.alert,
            "to_place": self._names.get(str(more.get("to_place", "")), more.get("to_place", "")),
            "quantity": str(more.get("quantity", "")),
            "orders": ", ".join(str(order) for order in more.get("orders", ())),
            "outcome": words.get(f"outcome.{more.get('outcome')}", ""),
        }
        fields |= staffing_fields(notice, words)
        safe = {name: escaped(value, markup) for name, value in fields.items()}
        safe["proposals"] = proposal_lines(notice, words, markup, claims)
        safe["claims"] = self._claims(item, words, markup, min(claims, _FIRST_CLAIMS))
        safe["link"] = ""
        return safe

    def _claims(self, item: Item, words: Mapping[str, str], markup: MarkupName, shown: int) -> str:
        notice = item.notice
        # Which claim broke the floor matters most, wherever it stands.
        ordered = sorted(notice.claims, key=lambda claim: not claim.get("broke_floor"))
        lines = [self._claim(claim, notice.place, words, markup) for claim in ordered[:shown]]
        left = len(ordered) - len(lines)
        if left and lines:
            lines.append(words["claim.more"].replace("{count}", str(left)))
        return "".join(f"\n- {line}" for line in lines)

    def _claim(
        self, claim: dict[str, Any], place: str, words: Mapping[str, str], markup: MarkupName
    ) -> str:
        kind = str(claim.get("claim", ""))
        try:
            when = self._wall(parse_instant(str(claim.get("time", ""))), place)
        except ValueError:
            when = ""
        who = claim.get("order") or claim.get("id") or ""
        parts = [when, words.get(f"claim.{kind}", kind), f"x{claim.get('quantity', '?')}", str(who)]
        line = escaped(" ".join(part for part in parts if part), markup)
        return f"{line} ← {words['claim.broke_floor']}" if claim.get("broke_floor") else line

    def _wall(self, instant: int, place: str) -> str:
        local = to_datetime(instant).astimezone(self._zones.of(place))
        return f"{local:%Y-%m-%d %H:%M}"


def _line_of(item: Item) -> str:
    return "staffing_line" if item.notice.type in STAFFING else "digest_line"


def _lasted(span: int, words: Mapping[str, str]) -> str:
    minutes = max(0, span) // MINUTE_US
    parts = {
        "days": str(minutes // 1440),
        "hours": str(minutes // 60 % 24),
        "minutes": str(minutes % 60),
    }
    word = "days" if minutes >= 1440 else "hours" if minutes >= 60 else "minutes"
    text = words[f"lasted.{word}"]
    for name, value in parts.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _data(message: Message, title: str, body: str, url: str) -> dict[str, Any]:
    """What a program gets: the alerts as they are, and the text besides."""
    alerts = []
    for item in message.items:
        notice: dict[str, Any] = msgspec.to_builtins(item.notice)
        for name in ("opened_at", "updated_at", "cleared_at"):
            if notice.get(name) is not None:
                notice[name] = format_instant(notice[name])
        alerts.append({"kind": item.kind, "state": item.notice.state, **notice})
    data = {
        "id": message.id,
        "route": message.route,
        "kind": message.kind,
        "made_at": format_instant(message.made_at),
        "title": title,
        "text": body,
        "alerts": alerts,
    }
    return data | {"acknowledge": url} if url else data
