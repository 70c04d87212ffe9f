"""Who may do what at a warehouse server, and what it survives."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from small_warehouse import position
from warehouse_server import (
    PROGRAM,
    READ_TOKEN,
    WRITE_TOKEN,
    ServedWarehouse,
    free_ports,
)

from schemas.tables import literal
from schemas.warehouse import STOCK_POSITION
from serving import warehouse as serving
from serving.warehouse import ServerSettings, WarehouseServer
from sinks.warehouse.address import Address, parse_target, read_tokens
from sinks.warehouse.client import Reader, Warehouse, WarehouseError, open_reader
from sinks.warehouse.extensions import load_protocol


@pytest.fixture(scope="module", name="server")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedWarehouse]:
    with ServedWarehouse(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.fixture(scope="module", name="dashboard")
def _dashboard(server: ServedWarehouse) -> Iterator[Reader]:
    with closing(open_reader(server.reader)) as reader:
        yield reader


@pytest.fixture(name="settings")
def _settings(tmp_path: Path) -> ServerSettings:
    port, read_port = free_ports(2)
    return ServerSettings(
        file=tmp_path / "w.duckdb",
        write_tokens=[WRITE_TOKEN],
        read_tokens=[READ_TOKEN],
        port=port,
        read_port=read_port,
    )


class TestAccess:
    @pytest.mark.parametrize(
        "question",
        [
            "SELECT 1",
            "FROM stock_position",
            "WITH a AS (SELECT 1 AS x) SELECT * FROM a, range(3) r(y) WHERE x < y",
            "SHOW TABLES",
            "DESCRIBE stock_position",
            "SUMMARIZE stock_position",
            "SELECT table_name, comment FROM duckdb_tables()",
            "SELECT * FROM information_schema.columns LIMIT 1",
            "SELECT unnest(['a']) UNION ALL SELECT sku FROM stock_pool",
        ],
    )
    def test_dashboards_ask(self, dashboard: Reader, question: str) -> None:
        dashboard.execute(question).fetchall()

    @pytest.mark.parametrize(
        "attempt",
        [
            "DELETE FROM stock_position",
            "WITH a AS (SELECT 1) DELETE FROM stock_position",
            "SELECT 1; DELETE FROM stock_position",
            "/* SELECT */ UPDATE stock_position SET on_hand = 0",
            "CREATE TABLE mine (a INT)",
            "DROP VIEW stock_pool",
            "BEGIN",
            "CHECKPOINT",
            "SET threads = 1",
            "ATTACH ':memory:' AS mine",
            "COPY stock_position TO 'out.csv'",
            "CALL quack_serve('quack:127.0.0.1:1', token = 'mine mine mine mine')",
            "FROM quack_stop('quack:127.0.0.1:1')",
            "FROM QUACK_SERVE('quack:127.0.0.1:1')",
            "SELECT (SELECT count(*) FROM quack_query('quack:127.0.0.1:1', 'SELECT 1'))",
            "FROM (SELECT * FROM query('SELECT 1'))",
            "FROM quack_active_connections()",
            "FROM read_text('/etc/hostname')",
            "SELECT NextVal('mine')",
            "EXPLAIN ANALYZE DELETE FROM stock_position",
        ],
    )
    def test_dashboards_do_nothing_else(self, dashboard: Reader, attempt: str) -> None:
        with pytest.raises(WarehouseError, match="may only read"):
            dashboard.execute(attempt)

    def test_dashboards_read_no_files(self, dashboard: Reader) -> None:
        """A file named as a table is closed to everybody, flows too."""
        for name in ("/etc/hostname.csv", "https://example.com/a.parquet"):
            with pytest.raises(duckdb.Error, match=r"disabled|does not exist"):
                dashboard.execute(f"FROM '{name}'")

    def test_the_way_around_the_client(self, server: ServedWarehouse) -> None:
        """With DuckDB's own client: tables can be read, and not be inserted into or made."""
        with closing(duckdb.connect()) as own:
            load_protocol(own)
            uri = literal(server.reader.uri)
            own.execute(f"ATTACH {uri} AS shop (TOKEN {literal(READ_TOKEN)})")
            assert own.execute("SELECT count(*) FROM shop.stock_position").fetchall() == [(0,)]
            for attempt in (
                "INSERT INTO shop.warehouse_info VALUES ('a', 'b')",
                "CREATE TABLE shop.mine (a INT)",
            ):
                with pytest.raises(duckdb.Error, match="Authorization failed"):
                    own.execute(attempt)

    def test_tokens(self, server: ServedWarehouse) -> None:
        """A dashboard's token opens no writing; a flow's opens reading, and nothing more."""
        write, read = server.address, server.reader
        for host_port, token in (
            (write, READ_TOKEN),
            (write, "guessed guessed"),
            (read, "guessed"),
        ):
            wrong = Address(host="127.0.0.1", port=host_port.port, token=token)
            with pytest.raises(WarehouseError, match="refuses the token"):
                open_reader(wrong)
        with pytest.raises(WarehouseError, match="TILLFLOW_WAREHOUSE_TOKEN"):
            Warehouse(str(write))
        both = Address(host="127.0.0.1", port=read.port, token=WRITE_TOKEN)
        with closing(open_reader(both)) as reader, pytest.raises(WarehouseError, match="only read"):
            reader.execute("DELETE FROM stock_position")

    def test_no_token_is_shown(self, server: ServedWarehouse, dashboard: Reader) -> None:
        """Not in representations, and not by asking the server for its rules."""
        assert WRITE_TOKEN not in f"{server.address} {server.address!r}"
        functions = dashboard.execute("FROM pg_catalog.pg_proc").fetchall()
        assert "authenticate" in repr(functions)
        assert WRITE_TOKEN not in repr(functions)
        assert READ_TOKEN not in repr(functions)


class TestAddresses:
    def test_forms(self) -> None:
        """Also as a path has mangled it; encrypted unless on this machine or told otherwise."""
        for text in (
            "quack://localhost:1234",
            Path("quack://localhost:1234"),
            "quack:localhost:1234",
        ):
            found = parse_target(text, token="t")
            assert (str(found), found.token) == ("quack://localhost:1234", "t")  # type: ignore[union-attr]
        far = [parse_target(f"quack{plain}://shop.example") for plain in ("", "+plain")]
        assert [one.tls for one in far] == [True, False]  # type: ignore[union-attr]
        assert [str(one) for one in far] == [
            "quack://shop.example:9494",
            "quack+plain://shop.example:9494",
        ]
        assert parse_target("w.duckdb") == Path("w.duckdb")

    @pytest.mark.parametrize(
        "text", ["quack:", "quack://", "quack://a:b", "quack://a:99999", "quack://a/b"]
    )
    def test_no_address(self, text: str) -> None:
        with pytest.raises(WarehouseError, match="quack://HOST:PORT"):
            parse_target(text)

    def test_token_files(self, tmp_path: Path) -> None:
        path = tmp_path / "tokens"
        with pytest.raises(WarehouseError, match="cannot read the token file"):
            read_tokens(path)
        path.write_text("# nobody\n\n")
        with pytest.raises(WarehouseError, match="holds no token"):
            read_tokens(path)
        path.write_text("# this year\n one \n\ntwo\n")
        assert read_tokens(path) == ["one", "two"]


class TestServer:
    def test_what_it_refuses_to_start_with(self, settings: ServerSettings) -> None:
        """Short tokens, one token for both, one port for both, a port that is taken."""
        file, port, read_port = settings.file, settings.port, settings.read_port
        for write, read, ports, words in (
            (["short"], [READ_TOKEN], (port, read_port), "shorter than 16"),
            ([READ_TOKEN], [READ_TOKEN], (port, read_port), "both token files"),
            ([WRITE_TOKEN], [READ_TOKEN], (port, port), "cannot share port"),
        ):
            with pytest.raises(WarehouseError, match=words):
                WarehouseServer(ServerSettings(file, write, read, "127.0.0.1", *ports))
        with closing(WarehouseServer(settings)):
            again = ServerSettings(
                file.with_name("other.duckdb"),
                [WRITE_TOKEN],
                [READ_TOKEN],
                port=port,
                read_port=free_ports(1)[0],
            )
            with pytest.raises(WarehouseError, match=f"cannot listen on 127.0.0.1:{port}"):
                WarehouseServer(again)

    def test_tokens_of_a_file_all_count(self, settings: ServerSettings) -> None:
        """A new token can be given out while the old one still works."""
        tokens = [WRITE_TOKEN, "the one of next year"]
        several = ServerSettings(
            settings.file, tokens, [READ_TOKEN], port=settings.port, read_port=settings.read_port
        )
        with closing(WarehouseServer(several)):
            for token in tokens:
                address = Address(host="127.0.0.1", port=settings.port, token=token)
                Warehouse(address).close()

    def test_what_a_dead_client_left_open_is_rolled_back(
        self, settings: ServerSettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its transaction failed half way and nobody ends it: others could never write its rows."""
        address = Address(host="127.0.0.1", port=settings.port, token=WRITE_TOKEN)
        with (
            closing(WarehouseServer(settings)) as server,
            closing(Warehouse(address, patience=0.1)) as flow,
            closing(duckdb.connect()) as dead,
        ):
            rows = STOCK_POSITION.arrow().empty_table()
            rows = type(rows).from_pylist([position("TEA", "S1", 1)], schema=rows.schema)
            flow.upsert(STOCK_POSITION, rows)
            load_protocol(dead)
            dead.execute(f"ATTACH {literal(address.uri)} AS w (TOKEN {literal(WRITE_TOKEN)})")
            half = "BEGIN; UPDATE stock_position SET on_hand = 9; FROM nothing"
            with pytest.raises(duckdb.Error, match="nothing"):
                dead.execute("FROM quack_query_by_name('w', ?)", [half])
            with pytest.raises(WarehouseError, match="kept writing the same rows"):
                flow.upsert(STOCK_POSITION, rows)
            assert not server.drop_abandoned()
            monkeypatch.setattr(serving, "ABANDONED_SECONDS", -1)
            assert server.drop_abandoned()
            flow.upsert(STOCK_POSITION, rows)
            assert flow.execute("SELECT on_hand FROM stock_position") == [(1,)]
            assert not server.drop_abandoned()

    def test_killed_and_started_again(self, tmp_path: Path) -> None:
        """What was committed is there; the file in use is told in words, to servers and flows."""
        with ServedWarehouse(tmp_path) as server:
            with closing(Warehouse(server.address)) as flow:
                flow.execute("INSERT INTO warehouse_info VALUES ('a', 'b')")
            with pytest.raises(WarehouseError, match="through the one that serves it"):
                Warehouse(server.file)
            command = [sys.executable, "-c", PROGRAM, "warehouse", "serve", str(server.file)]
            second = subprocess.run(command, capture_output=True, text=True, check=False)
            assert second.returncode == 1
            assert "is open in another process" in second.stderr
            server.kill()
            server.start()
            with closing(open_reader(server.reader)) as reader:
                found = reader.execute("SELECT value FROM warehouse_info WHERE name = 'a'")
                assert found.fetchall() == [("b",)]
            assert server.stop() == 0

    def test_tokens_are_made_and_only_for_the_owner(self, tmp_path: Path) -> None:
        """Without token files it makes them, different each, readable by nobody else."""
        from infra.commands.warehouse import _tokens

        paths = [tmp_path / "a.token", tmp_path / "b.token"]
        made = [_tokens(path) for path in paths]
        assert made[0] != made[1]
        assert min(len(one) for [one] in made) >= 32
        assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
        assert [_tokens(path) for path in paths] == made
