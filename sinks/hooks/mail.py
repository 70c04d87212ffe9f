"""E-mail over SMTP, step by step, so that what was never handed over is known as such."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING

from schemas.hooks import Email
from schemas.instants import to_datetime
from sinks.hooks.markup import MarkupName
from sinks.sending.verdict import ANSWER_KEPT, Verdict

if TYPE_CHECKING:
    from sinks.hooks.channels import Outgoing

# Every server takes it, also one that knows no 8BITMIME.
WIRE = SMTP.clone(cte_type="7bit")


class MailClient:
    """One connection a message: mail servers hang up on idle ones."""

    idempotent = False
    markup: MarkupName = "plain"
    limit = 100_000

    def __init__(self, channel: Email, password: str | None) -> None:
        self._channel = channel
        self._password = password

    def send(self, message: Outgoing, now: int) -> Verdict:
        """Hand a message to the server; unknown only between its last byte and the answer."""
        handed_over = False
        server: smtplib.SMTP | None = None
        try:
            server = self._connected()
            refused = self._address(server)
            if refused is not None:
                return refused
            code, answer = server.docmd("DATA")
            if code != 354:
                return _failed(code, answer)
            content = self._mail(message, now).as_bytes().replace(b"\r\n.", b"\r\n..")
            handed_over = True
            server.send(content if content.endswith(b"\r\n") else content + b"\r\n")
            server.send(b".\r\n")
            code, answer = server.getreply()
            return Verdict("sent", _words(code, answer)) if code == 250 else _failed(code, answer)
        except smtplib.SMTPAuthenticationError as wrong:
            said = _words(wrong.smtp_code, wrong.smtp_error)
            return Verdict("refused", f"user or password is wrong: {said}")
        except smtplib.SMTPResponseException as wrong:
            return _failed(wrong.smtp_code, wrong.smtp_error)
        except smtplib.SMTPNotSupportedError as wrong:
            return Verdict("refused", f"the server has no such thing: {wrong}", whole=True)
        except ssl.SSLError as wrong:
            return Verdict("retry", f"no safe connection ({wrong.reason})", whole=True)
        except (OSError, smtplib.SMTPException) as wrong:
            if handed_over:
                said = f"no answer to a message that was handed over ({type(wrong).__name__})"
                return Verdict("unknown", said, whole=True)
            return Verdict("retry", f"no connection ({type(wrong).__name__})", whole=True)
        finally:
            if server is not None:
                # What goes wrong from here on does not change what became of the message.
                with suppress(OSError, smtplib.SMTPException):
                    server.quit()
                server.close()

    def close(self) -> None:
        """Nothing is kept open."""

    def _connected(self) -> smtplib.SMTP:
        channel = self._channel
        context = ssl.create_default_context(cafile=channel.ca_file)
        timeout = channel.timeout_seconds
        server: smtplib.SMTP
        if channel.security == "tls":
            server = smtplib.SMTP_SSL(channel.host, channel.port, timeout=timeout, context=context)
        else:
            server = smtplib.SMTP(channel.host, channel.port, timeout=timeout)
        try:
            if channel.security == "starttls":
                server.starttls(context=context)
            if channel.user is not None and self._password is not None:
                server.login(channel.user, self._password)
            else:
                server.ehlo_or_helo_if_needed()
        except BaseException:
            server.close()
            raise
        return server

    def _address(self, server: smtplib.SMTP) -> Verdict | None:
        """Say from whom and to whom; None when every receiver is taken."""
        code, said = server.mail(self._channel.sender)
        if code != 250:
            return _failed(code, said)
        for receiver in self._channel.to:
            code, said = server.rcpt(receiver)
            if code not in (250, 251):
                failed = _failed(code, said)
                return failed._replace(answer=f"{receiver}: {failed.answer}"[:ANSWER_KEPT])
        return None

    def _mail(self, message: Outgoing, now: int) -> EmailMessage:
        """The message; those about one alert are one thread, a message has one id for ever."""
        domain = self._channel.sender.rpartition("@")[2].strip("> ") or "localhost"
        thread = hashlib.sha256(message.thread.encode()).hexdigest()[:24]
        mail = EmailMessage(policy=WIRE)
        mail["From"] = self._channel.sender
        mail["To"] = ", ".join(self._channel.to)
        mail["Subject"] = " ".join(message.title.split())
        mail["Date"] = format_datetime(to_datetime(now))
        mail["Message-ID"] = f"<{message.id}@{domain}>"
        mail["References"] = f"<{thread}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.body)
        return mail


def _failed(code: int, said: bytes | str) -> Verdict:
    """4xx may work later, 5xx will not; 421 is the server going away."""
    if 500 <= code < 600:
        return Verdict("refused", _words(code, said))
    return Verdict("retry", _words(code, said), whole=code == 421 or code < 0)


def _words(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"SMTP {code}: {' '.join(text.split())}"[:ANSWER_KEPT]
