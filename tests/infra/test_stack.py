"""The live stack: real processes that are started, watched, started again and stopped in order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from broker import KAFKA_HOME
from click.testing import CliRunner
from flow_driver import wait_until
from stack_driver import stack_in

from infra.cli import main
from infra.stack.brokers import find_broker, kafka_at, kafka_version
from infra.stack.health import Health, reads_health, says_health
from infra.stack.ports import choose_ports
from infra.stack.processes import Process, end, process
from infra.stack.record import (
    StackError,
    StackLock,
    StackRecord,
    StackSettings,
    read_record,
    write_record,
)
from infra.stack.run import put_aside, run_stack
from infra.stack.supervisor import child_environment


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TILLFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("KAFKA_HOME", raising=False)


@pytest.mark.slow
def test_the_stack_from_up_to_down(tmp_path: Path) -> None:
    """What a person does on a first day, and what goes wrong on a bad one."""
    with stack_in(tmp_path / "shop") as stack:
        began = stack.up()
        assert began.code == 0, began.output
        now = stack.status()
        assert now["well"], now
        assert now["state"] == "ready"
        assert [one["name"] for one in now["services"]][:4] == [
            "broker",
            "redis",
            "warehouse",
            "stock",
        ]
        second = stack.up()
        assert (second.code, "runs already" in second.output) == (0, True)

        stack.move("received", 10, 1)
        wait_until(lambda: stack.tea() == (10, 0), "the goods never reached the warehouse")

        # A flow that is killed is started again, and counts what came before and after once.
        flow = stack.service("stock")
        os.kill(flow["pid"], signal.SIGKILL)
        stack.move("sold", 1, 2)
        wait_until(lambda: stack.tea() == (9, 0), "the sale never reached the warehouse")
        wait_until(lambda: stack.status()["well"], "the stack did not recover")
        again = stack.service("stock")
        assert (again["restarts"], again["pid"] == flow["pid"]) == (1, False)

        # From the API over the gate, its keeper and the log to the flow, and back.
        def available() -> int:
            [tea] = stack.api("/v1/availability?sku=TEA")["items"]
            return int(tea["available"])

        wait_until(lambda: available() == 9, "the gate never heard of the goods")
        stack.api("/v1/holds", {"id": "cart-1", "lines": [{"sku": "TEA", "quantity": 2}]})
        stack.api("/v1/holds/cart-1/confirm", {})
        wait_until(lambda: stack.tea() == (9, 2), "the flow never heard of the hold")
        assert available() == 7

        # What its supervisor leaves behind when it is killed is recognised, and ended by the next.
        *services, above_all = stack.processes
        assert len(services) == len(now["services"])
        assert all(one.alive for one in services)
        above_all.signal(signal.SIGKILL)
        wait_until(lambda: not above_all.alive, "kill -9 did not kill")
        assert stack.status()["state"] == "crashed"
        # Servers alone are quick; the API cannot be without the keeper.
        began = stack.up("--without", "stock", "--without", "transfers", "--without", "keeper")
        assert began.code == 0, began.output
        assert not any(one.alive for one in services)
        names = [one["name"] for one in stack.status()["services"]]
        assert names == ["broker", "redis", "warehouse"]
        if KAFKA_HOME:
            assert stack.tea() == (9, 2)
        else:
            assert stack.tea() == (0, 0)
            [aside] = (stack.data / "earlier").iterdir()
            assert (aside / "warehouse" / "warehouse.duckdb").exists()

        running = stack.processes
        assert len(running) == 4
        assert all(one.alive for one in running)
        ended = stack.run("down")
        assert ended.exit_code == 0, ended.output
        assert not any(one.alive for one in running)
        assert stack.status()["state"] == "stopped"
        assert "does not run" in stack.run("down").output


def test_what_was_never_started_says_so(tmp_path: Path) -> None:
    for command in ("down", "status"):
        result = CliRunner().invoke(main, [command, "--data", str(tmp_path / "none")])
        assert result.exit_code == 1
        assert "start one with tillflow up" in result.output


def test_a_number_that_was_given_out_again_is_another_process() -> None:
    me = process(os.getpid())
    assert me.alive
    assert not Process(me.pid, "another start").alive
    with subprocess.Popen(["/bin/sleep", "600"]) as child:
        there = process(child.pid)
        end([replace_start(there)], 0.0)
        assert there.alive
        end([there], 5.0)
        # Not waited for yet: it is gone all the same.
        assert not there.alive


def replace_start(one: Process) -> Process:
    return Process(one.pid, one.started + "0")


def record_of(data: Path, **more: object) -> StackRecord:
    made = StackRecord(
        supervisor=process(os.getpid()),
        since=datetime(2026, 11, 23, tzinfo=UTC),
        settings=StackSettings(data=data, ports={"kafka": 9092}),
    )
    for name, value in more.items():
        setattr(made, name, value)
    return made


def test_what_is_written_down_is_read_again(tmp_path: Path) -> None:
    assert read_record(tmp_path) is None
    made = record_of(tmp_path, state="ready")
    write_record(tmp_path, made)
    assert read_record(tmp_path) == made
    assert (made.running, made.crashed) == (True, False)
    gone = record_of(tmp_path, state="ready", supervisor=Process(os.getpid(), "before the crash"))
    assert (gone.running, gone.crashed) == (False, True)
    (tmp_path / "stack.json").write_text("{")
    with pytest.raises(StackError, match="cannot be read"):
        read_record(tmp_path)


def test_one_supervisor_a_folder(tmp_path: Path) -> None:
    lock = StackLock(tmp_path)
    assert lock.take()
    with pytest.raises(StackError, match="runs already"):
        run_stack(StackSettings(data=tmp_path), lambda _: None, threading.Event())
    lock.close()
    with closing(StackLock(tmp_path)) as free:
        assert free.take()


def test_state_never_meets_another_log(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    write_record(tmp_path, record_of(tmp_path, state="stopped", broker="given: elsewhere:9092"))
    with pytest.raises(StackError, match="built on the log of given: elsewhere:9092"):
        run_stack(StackSettings(data=tmp_path), lambda _: None, threading.Event())
    assert (tmp_path / "state").exists()


def test_what_belongs_to_a_lost_log_is_put_aside(tmp_path: Path) -> None:
    assert put_aside(tmp_path) is None
    for name in ("warehouse", "state", "redis", "logs", "tokens", "kafka"):
        (tmp_path / name).mkdir()
    aside = put_aside(tmp_path)
    assert aside is not None
    assert sorted(path.name for path in aside.iterdir()) == ["redis", "state", "warehouse"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "earlier",
        "kafka",
        "logs",
        "tokens",
    ]


def test_ports_are_the_wanted_ones_then_those_of_last_time_then_free_ones() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = taken.getsockname()[1]
        free = choose_ports(["one"], {}, {})["one"]
        chosen = choose_ports(
            ["a", "b", "c", "d"], {"a": busy}, {"a": 1, "b": free, "c": busy, "d": free}
        )
    assert (chosen["a"], chosen["b"]) == (busy, free)
    assert len(set(chosen.values())) == 4


def test_a_kafka_is_known_by_its_jars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kafka_version(tmp_path) is None
    with pytest.raises(StackError, match="is no Apache Kafka"):
        kafka_at(tmp_path)
    libs = tmp_path / "libs"
    libs.mkdir()
    (libs / "kafka_2.13-4.1.0.jar").touch()
    (libs / "kafka_2.13-4.1.0-test.jar").touch()
    assert kafka_version(tmp_path) == "4.1.0"
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    monkeypatch.setenv("PATH", str(java.parent))
    for said, fits in (('java version "1.8.0_292"', False), ('openjdk version "21.0.1"', True)):
        java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
        java.chmod(0o755)
        if fits:
            assert kafka_at(tmp_path).version == "4.1.0"
            assert find_broker(None, tmp_path / "data", str(tmp_path)).name.startswith("Apache")
        else:
            with pytest.raises(StackError, match="needs Java 17"):
                kafka_at(tmp_path)
            # Nobody asked for it by name: the other broker will do.
            assert find_broker(None, tmp_path / "data", str(tmp_path)).volatile


def test_services_get_no_settings_of_the_shell() -> None:
    given = {"PATH": "/bin", "TILLFLOW_WAREHOUSE_TOKEN": "x", "TILLFLOW_KAFKA_SASL_USERNAME": "u"}
    assert child_environment(given, keep_kafka=False) == {"PATH": "/bin", "PYTHONUNBUFFERED": "1"}
    assert "TILLFLOW_KAFKA_SASL_USERNAME" in child_environment(given, keep_kafka=True)


def test_doctor_says_what_is_missing_and_what_to_do(tmp_path: Path) -> None:
    fine = CliRunner().invoke(main, ["doctor", "--data", str(tmp_path)])
    assert fine.exit_code == 0, fine.output
    assert "can start" in fine.output
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        options = ["--port-redis", port, "--redis-server", "/nowhere/redis-server"]
        options += ["--kafka-home", str(tmp_path)]
        result = CliRunner().invoke(main, ["doctor", "--data", str(tmp_path), *options])
    assert result.exit_code == 1
    lines = result.output.splitlines()
    missing = [number for number, line in enumerate(lines) if line.startswith("MISSING")]
    assert [lines[number].split()[1] for number in missing] == ["broker:", "redis:", "ports:"]
    assert all("->" in lines[number + 1] for number in missing)
    assert "3 missing" in result.output


def test_health_is_a_word_and_a_verdict(tmp_path: Path) -> None:
    assert says_health("ready")("now ready") == Health(True, "works")
    assert not says_health("ready")("still at it").well
    flow = reads_health(tmp_path)
    assert not flow("").well
    assert flow("INFO reads stock.movement.v1/0").well
    engine = tmp_path / "part-0.sqlite3-wal"
    engine.touch()
    assert flow("INFO reads stock.movement.v1/0").well
    os.utime(engine, (time.time() - 600, time.time() - 600))
    assert "hangs" in flow("INFO reads stock.movement.v1/0").detail
