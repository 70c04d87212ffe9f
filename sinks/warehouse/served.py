"""A warehouse that a server owns: every request is one message, so nothing is left half done."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock

import duckdb

from sinks.warehouse.address import Address, WarehouseError
from sinks.warehouse.extensions import load_protocol
from sinks.warehouse.statements import bound

# So long a server may be away (a restart takes a second or two) before that is an error.
PATIENCE_SECONDS = 60.0
# A message of 20,000 positions takes a quarter of a second; one that takes this long is lost.
TIMEOUT_SECONDS = 120
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 1.0

# The protocol hands every error over as the same class, so its words have to tell.
_NOT_ARRIVED = ("could not connect", "connection refused", "invalid connection id")
_LOST = ("failed to send message", "http error", "database was closed", "connection error")
_CONFLICT = (
    "conflict on",
    "write-write conflict",
    "duplicate key",
    "transaction conflict",
    "current transaction is aborted",
)


class ServedConnection:
    """Asks a served warehouse. Use it from one thread at a time.

    There is no session between two messages: each opens one and closes it, which costs two
    milliseconds, and in return nothing has to be mended when the server was started anew, and
    a client that dies leaves no transaction open.
    """

    def __init__(
        self,
        address: Address,
        *,
        patience: float = PATIENCE_SECONDS,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Get ready to ask; nothing is sent yet.

        Raises:
            WarehouseError: there is no token, or a wheel is missing.
        """
        if not address.token:
            msg = (
                f"{address} asks for a token: put it into TILLFLOW_WAREHOUSE_TOKEN, or the path "
                "of its file into TILLFLOW_WAREHOUSE_TOKEN_FILE"
            )
            raise WarehouseError(msg)
        self.address = address
        self._patience = patience
        self._pause = pause
        self._connection = _client(tls=address.tls)

    def execute(self, sql: str, parameters: object = ()) -> duckdb.DuckDBPyConnection:
        """Send one statement and return what it answers, ready to be fetched.

        Raises:
            WarehouseError: the server is not there or refuses the token.
        """
        given = list(parameters) if isinstance(parameters, Sequence) else [parameters]
        return self._send(bound(sql, given) if given else sql, again=_not_executed)

    def transact(self, statements: Sequence[str]) -> None:
        """Execute statements as one transaction, all or none of them.

        When the server goes away in the middle, or another writer is in the way, all of it is
        sent again: the statements must come to the same when they are executed twice.

        Raises:
            WarehouseError: the server stayed away, or refuses the token.
            duckdb.Error: a statement is wrong; nothing of the transaction was written.
        """
        text = ";\n".join(["BEGIN", *statements, "COMMIT", "SELECT true"])
        self._send(text, again=_may_be_sent_again).fetchall()

    def write(self, statement: str) -> None:
        """Execute one statement that comes to the same when it is executed twice."""
        self._send(statement, again=_may_be_sent_again).fetchall()

    def _send(self, sql: str, again: Callable[[str], bool]) -> duckdb.DuckDBPyConnection:
        give_up_at: float | None = None
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                # What a statement answers is fetched by the caller; errors of the server are
                # raised here already.
                return self._connection.execute(
                    "FROM quack_query(?, ?, token = ?, disable_ssl = ?)",
                    [self.address.uri, sql, self.address.token, not self.address.tls],
                )
            except duckdb.Error as wrong:
                words = str(wrong).lower()
                give_up_at = give_up_at or time.monotonic() + self._patience
                if not again(words) or time.monotonic() >= give_up_at:
                    raise self._told(wrong, words) from wrong
                self._pause(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _told(self, wrong: duckdb.Error, words: str) -> Exception:
        """The error in words for a person; an error of SQL stays what it is."""
        if "authentication failed" in words:
            return WarehouseError(
                f"{self.address} refuses the token: take the one in the server's token file"
            )
        if "authorization failed" in words:
            return WarehouseError(
                f"the token for {self.address} may only read, and only with SELECT: writing needs "
                "the server's other port and token"
            )
        if _has(words, _NOT_ARRIVED):
            return WarehouseError(
                f"no warehouse is served at {self.address}: start it with tillflow warehouse serve"
            )
        if _has(words, _CONFLICT):
            return WarehouseError(
                f"others kept writing the same rows of {self.address} for {self._patience:g} s: "
                "does the same flow run twice?"
            )
        if _has(words, _LOST):
            first = str(wrong).partition("\n")[0]
            return WarehouseError(f"the warehouse at {self.address} does not answer: {first}")
        return wrong

    def close(self) -> None:
        """Let go of what the client holds."""
        self._connection.close()


_instances: dict[bool, duckdb.DuckDBPyConnection] = {}
_lock = Lock()


def _client(*, tls: bool) -> duckdb.DuckDBPyConnection:
    """A connection of this process's client: its parts are loaded once, which takes a while."""
    name = f":memory:tillflow_client_{'tls' if tls else 'plain'}"
    with _lock:
        if tls not in _instances:
            first = duckdb.connect(name)
            load_protocol(first)
            # A message has exactly one try at a time: `_send` decides whether there is another.
            first.execute("SET GLOBAL http_retries = 0")
            first.execute(f"SET GLOBAL http_timeout = {TIMEOUT_SECONDS}")
            if not tls:
                # A proxy of the environment is for the world outside.
                first.execute("SET GLOBAL http_proxy = ''")
            _instances[tls] = first
        connection = duckdb.connect(name)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _has(words: str, parts: Sequence[str]) -> bool:
    return any(part in words for part in parts)


def _not_executed(words: str) -> bool:
    return _has(words, _NOT_ARRIVED) or "conflict on" in words


def _may_be_sent_again(words: str) -> bool:
    return _has(words, (*_NOT_ARRIVED, *_LOST, *_CONFLICT))
