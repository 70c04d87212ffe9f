"""Every channel against a server that checks what its provider checks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hook_alerts import alert, configured, environment, route, writer
from hook_server import HookServer, Plan, errcode, feishu
from mail_server import MailServer, start_mail_server

from operators.notify.case import Item, Message
from operators.notify.inbox import notice_of_envelope
from schemas.hooks import Channel, Email
from schemas.secrets import Secret
from sinks.hooks.channels import Client, Outgoing, client_of
from sinks.sending.verdict import Verdict

CERTIFICATE = Path(__file__).parent / "localhost.pem"
ROBOTS = ("wecom", "dingtalk", "feishu")
EVERY = (*ROBOTS, "slack", "webhook")
Body = Callable[[int, str], Plan]
SAYS: dict[str, Body] = {"wecom": errcode, "dingtalk": errcode, "feishu": feishu}


def now() -> int:
    return time.time_ns() // 1000


def client(server: HookServer, channel: str) -> Client:
    hooks = configured(server, route("r", channel))
    return client_of(hooks.channels[channel], environment(server))


def outgoing(made: Client, **more: object) -> Outgoing:
    notice = notice_of_envelope(alert(**more))  # type: ignore[arg-type]
    assert notice is not None
    message = Message("r", "raised", (Item("raised", notice),), now())
    return writer().write(message, "zh", made.markup, made.limit)


def send(server: HookServer, channel: str, **more: object) -> Verdict:
    made = client(server, channel)
    try:
        return made.send(outgoing(made, **more), now())
    finally:
        made.close()


@pytest.mark.parametrize("channel", EVERY)
def test_a_message_is_taken_and_says_what_happened(server: HookServer, channel: str) -> None:
    assert send(server, channel).outcome == "sent"
    (request,) = server.taken
    assert "南京东路店" in request.text
    assert "TEA-1" in request.text
    assert "o7" in request.text
    assert "https://shop.example/a/" in request.text


@pytest.mark.parametrize("channel", ROBOTS)
def test_a_failure_in_the_body_of_a_200_is_a_failure(server: HookServer, channel: str) -> None:
    server.plans = [SAYS[channel](99999, "something new")]
    verdict = send(server, channel)
    assert verdict.outcome == "retry"
    assert "99999" in verdict.answer
    assert "something new" in verdict.answer


@pytest.mark.parametrize(
    ("channel", "code"), [("wecom", 45009), ("dingtalk", 130101), ("feishu", 11232)]
)
def test_a_rate_limit_pauses_the_channel(server: HookServer, channel: str, code: int) -> None:
    server.plans = [SAYS[channel](code, "too fast")]
    verdict = send(server, channel)
    assert verdict.outcome == "retry"
    assert verdict.whole
    assert verdict.after_seconds is not None
    assert verdict.after_seconds >= 60


@pytest.mark.parametrize(
    ("channel", "code"), [("wecom", 93000), ("dingtalk", 310000), ("feishu", 19021)]
)
def test_what_no_retry_heals_is_refused_with_words(
    server: HookServer, channel: str, code: int
) -> None:
    server.plans = [SAYS[channel](code, "no")]
    verdict = send(server, channel)
    assert verdict.outcome == "refused"
    assert "check" in verdict.answer or "removed" in verdict.answer


@pytest.mark.parametrize("channel", ["dingtalk", "feishu"])
def test_the_signature_is_the_one_the_provider_computes(server: HookServer, channel: str) -> None:
    hooks = configured(server, route("r", channel))
    made = client_of(hooks.channels[channel], environment(server) | {"BOT_SECRET": "wrong"})
    assert made.send(outgoing(made), now()).outcome == "refused"
    made.close()
    assert server.taken == []


@pytest.mark.parametrize("channel", EVERY)
@pytest.mark.parametrize(
    ("plan", "outcome"),
    [
        ((503, "<html>maintenance</html>"), "retry"),
        ((429, "slow down"), "retry"),
        ((404, "gone"), "refused"),
        ("reset", "unknown"),
        ("drop", "unknown"),
    ],
)
def test_what_networks_and_servers_do(
    server: HookServer, channel: str, plan: Plan, outcome: str
) -> None:
    server.plans = [plan]
    assert send(server, channel).outcome == outcome


@pytest.mark.parametrize("channel", [*ROBOTS, "slack"])
def test_a_200_that_is_no_answer_of_the_provider_is_a_failure(
    server: HookServer, channel: str
) -> None:
    """A proxy or a login page of a hotel answers 200, too."""
    server.plans = [(200, "<html>please log in</html>")]
    verdict = send(server, channel)
    assert verdict.outcome == "retry"
    assert "please log in" in verdict.answer


def test_a_slow_provider_is_unknown_after_the_timeout(server: HookServer) -> None:
    def slowly() -> tuple[int, str]:
        time.sleep(0.3)
        return 200, '{"errcode": 0}'

    server.plans = [slowly]
    hooks = configured(server, route("r", "wecom"))
    channel = _quick(hooks.channels["wecom"], 0.1)
    made = client_of(channel, environment(server))
    assert made.send(outgoing(made), now()).outcome == "unknown"
    made.close()


def test_nobody_listens_is_a_retry(server: HookServer) -> None:
    server.address = "http://127.0.0.1:1"
    assert send(server, "wecom").outcome == "retry"


@pytest.mark.parametrize("channel", EVERY)
def test_values_of_events_cannot_mark_up_or_call_everybody(
    server: HookServer, channel: str
) -> None:
    sku = "<!channel> <@all> [x](http://evil) **b** `c`"
    assert send(server, channel, sku=sku).outcome == "sent"
    (request,) = server.taken
    if channel == "webhook":
        assert request.body["alerts"][0]["sku"] == sku
        return
    for dangerous in ("<!channel>", "<@all>", "[x](http://evil)" if channel != "slack" else "<@"):
        assert dangerous not in request.text


@pytest.mark.parametrize("channel", ["wecom", "slack"])
def test_no_text_is_longer_than_the_provider_takes(server: HookServer, channel: str) -> None:
    assert send(server, channel, sku="茶" * 200, alert="a").outcome == "sent"
    made = client(server, channel)
    notices = [
        notice_of_envelope(alert(n, sku=f"{chr(33590) * 180}-{n}", alert=f"a{n}"))
        for n in range(60)
    ]
    items = tuple(Item("raised", notice) for notice in notices if notice is not None)
    message = writer().write(Message("r", "digest", items, now()), "zh", made.markup, made.limit)
    assert "60" in message.body
    assert "https://shop.example/a/" in message.body
    assert made.send(message, now()).outcome == "sent"
    made.close()


def test_a_webhook_carries_the_alert_and_a_key(server: HookServer) -> None:
    assert send(server, "webhook").outcome == "sent"
    (request,) = server.taken
    assert request.headers["idempotency-key"] == request.body["id"]
    (told,) = request.body["alerts"]
    assert (told["sku"], told["kind"], told["observed"]) == ("TEA-1", "raised", -1)
    assert told["claims"][0]["order"] == "o7"


def test_secrets_are_in_no_log_and_no_repr(
    server: HookServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hooks = configured(server, "".join(route(name, name) for name in EVERY))
    for channel in EVERY:
        send(server, channel)
        server.plans = ["drop"]
        send(server, channel)
    shown = caplog.text + repr(hooks)
    for secret in environment(server).values():
        assert secret not in shown


def mailing(mail: MailServer, **more: object) -> Verdict:
    settings: dict[str, object] = {
        "host": "localhost",
        "port": mail.port,
        "sender": "Till <till@example.com>",
        "to": ("a@example.com", "b@example.com"),
        "security": "none",
        "timeout_seconds": 5.0,
    }
    made = client_of(Email(**(settings | more)), {"P": "mail-password-1"})  # type: ignore[arg-type]
    return made.send(outgoing(made), now())


def test_an_e_mail_goes_out_over_starttls_with_a_login() -> None:
    with start_mail_server(CERTIFICATE) as mail:
        secure = {"security": "starttls", "ca_file": str(CERTIFICATE)}
        assert mailing(mail, **secure, user="till", password=Secret("env:P")).outcome == "sent"
    assert mail.logins == 1
    assert mail.receivers == [["a@example.com", "b@example.com"]]
    (sent,) = mail.mails
    assert "TEA-1" in str(sent["Subject"])
    assert "南京东路店" in sent.get_content()
    assert str(sent["Message-ID"]).endswith("@example.com>")


def test_a_certificate_nobody_vouches_for_is_not_trusted() -> None:
    with start_mail_server(CERTIFICATE) as mail:
        verdict = mailing(mail, security="starttls")
    assert verdict.outcome == "retry"
    assert "no safe connection" in verdict.answer
    assert mail.mails == []


@pytest.mark.parametrize(
    ("answers", "outcome", "mails"),
    [
        ({"RCPT": "450 4.2.1 mailbox busy"}, "retry", 0),
        ({"RCPT": "550 5.1.1 no such user"}, "refused", 0),
        ({"DATA": "451 try later"}, "retry", 0),
        ({"MAIL": ""}, "retry", 0),
        ({"END": "552 too big"}, "refused", 1),
        ({"END": ""}, "unknown", 1),
        ({"QUIT": ""}, "sent", 1),
        ({"QUIT": "500 what"}, "sent", 1),
    ],
)
def test_what_mail_servers_do(answers: dict[str, str], outcome: str, mails: int) -> None:
    with start_mail_server() as mail:
        mail.answers = answers
        assert mailing(mail).outcome == outcome
        assert len(mail.mails) == mails


def test_a_wrong_password_is_refused_and_not_shown() -> None:
    with start_mail_server() as mail:
        verdict = mailing(mail, user="other", password=Secret("env:P"))
    assert verdict.outcome == "refused"
    assert "mail-password-1" not in verdict.answer


def _quick(channel: Channel, seconds: float) -> Channel:
    import msgspec

    return msgspec.structs.replace(channel, timeout_seconds=seconds)
