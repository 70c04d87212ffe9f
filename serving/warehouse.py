"""Serves a warehouse: one process owns the file, flows write and dashboards read through it.

Two listeners of DuckDB's own protocol (Quack): one for flows, which may do everything, and one for
dashboards. What may be asked at the second is decided by the parsed statement, not by its text.
"""

from __future__ import annotations

import hashlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from schemas.tables import literal
from sinks.warehouse.address import DEFAULT_PORT, WarehouseError
from sinks.warehouse.client import open_file
from sinks.warehouse.extensions import load_protocol

# Where the rules of access live: in memory, beside the file, so that the file stays as it is.
ACCESS = "tillflow_access"
LEAST_TOKEN = 16
POLL_SECONDS = 1.0
PROBE_SECONDS = 1.0
# An error leaves a transaction open until its client ends it. A client that died cannot, and what
# its transaction wrote would be in everybody's way.
ABANDONED_SECONDS = 10

# Tables that SELECT may make out of nothing; all others (files, other servers, the stopping of
# this one) are closed to dashboards.
READABLE_FUNCTIONS = (
    "duckdb_columns",
    "duckdb_constraints",
    "duckdb_databases",
    "duckdb_indexes",
    "duckdb_schemas",
    "duckdb_tables",
    "duckdb_types",
    "duckdb_views",
    "generate_series",
    "json_each",
    "json_tree",
    "pragma_database_size",
    "pragma_table_info",
    "pragma_version",
    "range",
    "repeat",
    "unnest",
)
CHANGING_FUNCTIONS = ("currval", "nextval", "setseed", "write_log")


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What a server is started with; tokens never appear in a representation of this."""

    file: Path
    write_tokens: Sequence[str] = field(repr=False)
    read_tokens: Sequence[str] = field(repr=False)
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    read_port: int = DEFAULT_PORT + 1
    threads: int | None = None
    memory: str | None = None


class WarehouseServer:
    """Owns a warehouse file and serves it until it is stopped."""

    def __init__(self, settings: ServerSettings) -> None:
        """Open the file and listen.

        Raises:
            WarehouseError: another process has the file, a port is taken, or a token is too short.
        """
        for one in (*settings.write_tokens, *settings.read_tokens):
            if len(one) < LEAST_TOKEN:
                msg = f"a token is shorter than {LEAST_TOKEN} characters: make it longer"
                raise WarehouseError(msg)
        if settings.port == settings.read_port:
            msg = f"flows and dashboards cannot share port {settings.port}: give two"
            raise WarehouseError(msg)
        if set(settings.write_tokens) & set(settings.read_tokens):
            msg = "a token is in both token files: what dashboards have must not open writing"
            raise WarehouseError(msg)
        self.settings = settings
        # What the protocol takes for each listener's token: here only its name in the rules.
        self._labels = {
            settings.port: secrets.token_hex(16),
            settings.read_port: secrets.token_hex(16),
        }
        self.connection = open_file(settings.file)
        try:
            self._prepare()
            for port in (settings.port, settings.read_port):
                self._listen(port)
        except BaseException:
            self.connection.close()
            raise

    def _prepare(self) -> None:
        settings, connection = self.settings, self.connection
        load_protocol(connection)
        if settings.threads is not None:
            connection.execute(f"SET threads = {settings.threads:d}")
        else:
            connection.execute("RESET threads")
        if settings.memory is not None:
            connection.execute(f"SET memory_limit = {literal(settings.memory)}")
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        connection.execute(f"ATTACH ':memory:' AS {ACCESS}")
        for statement in access_rules(settings, self._labels[settings.port]):
            connection.execute(statement)
        # From here on no statement of a client can read or write a file, load an extension or
        # change a setting.
        connection.execute("SET GLOBAL enable_external_access = false")
        connection.execute("SET GLOBAL lock_configuration = true")

    def _listen(self, port: int) -> None:
        host = self.settings.host
        # The protocol's listener would share the port with another server, and each would get some
        # of the requests.
        with suppress(OSError), socket.create_connection((host.strip("[]"), port), PROBE_SECONDS):
            msg = f"cannot listen on {host}:{port}: another program does; take another --port"
            raise WarehouseError(msg)
        try:
            self.connection.execute(
                "CALL quack_serve(?, token = ?, allow_other_hostname = true, disable_ssl = true)",
                [self._uri(port), self._labels[port]],
            ).fetchall()
        except duckdb.Error as wrong:
            first = str(wrong).partition("\n")[0]
            msg = f"cannot listen on {host}:{port}: {first}"
            raise WarehouseError(msg) from wrong

    def _uri(self, port: int) -> str:
        return f"quack:{self.settings.host}:{port}"

    def run(self, stop: threading.Event, tend: Callable[[], None] | None = None) -> None:
        """Serve until `stop` is set, and call `tend` about once a second."""
        while not stop.wait(POLL_SECONDS):
            self.drop_abandoned()
            if tend is not None:
                tend()

    def drop_abandoned(self) -> bool:
        """Roll back what clients that died have left open; whether there was any.

        The protocol cannot end one session, so the listener of the writers is started anew. They
        keep no session between two messages and send a message again that was cut off.
        """
        uri = self._uri(self.settings.port)
        [(abandoned,)] = self.connection.execute(
            "SELECT count(*) FROM quack_active_connections() WHERE server_id = ? "
            "AND state = 'cancelled' AND epoch_us(query_started_at::TIMESTAMPTZ) < ?",
            [uri, int((time.time() - ABANDONED_SECONDS) * 1e6)],
        ).fetchall()
        if not abandoned:
            return False
        self.connection.execute("CALL quack_stop(?)", [uri]).fetchall()
        self._listen(self.settings.port)
        return True

    def close(self) -> None:
        """Stop listening, fold the write-ahead log into the file and let go of it."""
        for port in (self.settings.port, self.settings.read_port):
            self.connection.execute("CALL quack_stop(?)", [self._uri(port)]).fetchall()
        # Where a transaction is still open the log keeps what is committed, as after a crash.
        with suppress(duckdb.Error):
            self.connection.execute("CHECKPOINT")
        self.connection.close()


def access_rules(settings: ServerSettings, writers: str) -> list[str]:
    """The statements that decide who may connect and what may be asked: pure text.

    The protocol calls `authenticate` for a connection and `authorize` for each statement, with
    the id of the connection. It says which listener that came in at, and so what it may do.
    `writers` is the label of the listener for flows. Tokens are in the rules as hashes only.
    """
    write, read = list(settings.write_tokens), list(settings.read_tokens)
    # Flows' tokens open the reading side too; the other way round they do not.
    who = (
        f"CASE server WHEN {literal(writers)} THEN sha256(client::VARCHAR) IN {_hashes(write)} "
        f"ELSE sha256(client::VARCHAR) IN {_hashes([*read, *write])} END"
    )
    at_writers = (
        "EXISTS (SELECT 1 FROM quack_active_connections() c WHERE c.connection_id = sid AND "
        f"c.server_id = {literal(f'quack:{settings.host}:{settings.port}')})"
    )
    # None of the names that count has capitals, and a name may be written with some.
    tree = "lower(json_serialize_sql(query::VARCHAR)::VARCHAR)"
    tables = f"json_extract_string({tree}, '$..function.function_name')"
    called = f"json_extract_string({tree}, '$..function_name')"
    reads = (
        f"{tree} ->> 'error' = 'false' AND list_has_all({_list(READABLE_FUNCTIONS)}, {tables}) "
        f"AND NOT list_has_any({_list(CHANGING_FUNCTIONS)}, {called})"
    )
    return [
        f"CREATE MACRO {ACCESS}.main.authenticate(sid, client, server) AS ({who})",
        f"CREATE MACRO {ACCESS}.main.authorize(sid, query) AS "
        f"(CASE WHEN {at_writers} THEN true ELSE {reads} END)",
        f"SET GLOBAL quack_authentication_function = '{ACCESS}.main.authenticate'",
        f"SET GLOBAL quack_authorization_function = '{ACCESS}.main.authorize'",
    ]


def _hashes(tokens: Sequence[str]) -> str:
    return "(" + ", ".join(literal(hashlib.sha256(t.encode()).hexdigest()) for t in tokens) + ")"


def _list(names: Sequence[str]) -> str:
    return "[" + ", ".join(map(literal, names)) + "]"
