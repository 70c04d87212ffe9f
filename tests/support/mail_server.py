"""A real SMTP server on the loopback: STARTTLS, login, refusals, and hanging up at any step."""

from __future__ import annotations

import base64
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

USER, PASSWORD = "till", "mail-password-1"


@dataclass
class MailServer:
    """`answers` overrides the reply to a command once: {"RCPT": "450 busy"}; "" hangs up."""

    port: int = 0
    tls: ssl.SSLContext | None = None
    mails: list[EmailMessage] = field(default_factory=list)
    receivers: list[list[str]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    logins: int = 0


class _Handler(socketserver.StreamRequestHandler):
    mail: MailServer

    def handle(self) -> None:
        with suppress(OSError, ValueError):
            self._say("220 test ESMTP")
            self._talk()

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def _talk(self) -> None:
        secure = authenticated = False
        receivers: list[str] = []
        while line := self.rfile.readline().decode().strip():
            verb = line.split(" ", 1)[0].upper()
            planned = self.mail.answers.pop(verb, None)
            if planned is not None:
                if not planned:
                    return
                self._say(planned)
            elif verb == "EHLO":
                self._say("250-test")
                if self.mail.tls is not None and not secure:
                    self._say("250-STARTTLS")
                self._say("250 AUTH PLAIN")
            elif verb == "STARTTLS":
                assert self.mail.tls is not None
                self._say("220 go ahead")
                self.connection = self.mail.tls.wrap_socket(self.connection, server_side=True)
                self.setup_files()
                secure = True
            elif verb == "AUTH":
                given = base64.b64decode(line.split()[2]).decode().split("\0")[1:]
                authenticated = given == [USER, PASSWORD]
                self.mail.logins += authenticated
                self._say("235 welcome" if authenticated else "535 5.7.8 wrong user or password")
            elif verb == "RCPT":
                receivers.append(line.split(":", 1)[1].strip("<> "))
                self._say("250 ok")
            elif verb == "DATA":
                if not self._take(receivers):
                    return
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _take(self, receivers: list[str]) -> bool:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        mail = message_from_bytes(b"".join(lines), policy=default)
        self.mail.mails.append(mail)
        self.mail.receivers.append(list(receivers))
        answer = self.mail.answers.pop("END", "250 queued")
        if answer:
            self._say(answer)
        return bool(answer)

    def setup_files(self) -> None:
        """Files over the connection, once more after it became a safe one."""
        self.rfile = self.connection.makefile("rb", -1)
        self.wfile = self.connection.makefile("wb", 0)

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
            self.connection.close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def start_mail_server(certificate: Path | None = None) -> Iterator[MailServer]:
    """The server, until the block ends; with a certificate and key it can do STARTTLS."""
    mail = MailServer()
    if certificate is not None:
        mail.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        mail.tls.load_cert_chain(certificate)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"mail": mail}))
    mail.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield mail
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
