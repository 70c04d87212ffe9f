"""`tillflow doctor`: whether the live stack could start here, and what to do if not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

import infra.deploy
from infra.stack.brokers import kafka_version
from infra.stack.checks import examine
from infra.stack_options import data_option, ports_options

MARKS = {"ok": "ok      ", "optional": "optional", "missing": "MISSING "}
FETCH = ("dependency:copy-dependencies", "-DincludeScope=runtime")


@click.command()
@data_option
@click.option(
    "--kafka-home", type=click.Path(path_type=Path, file_okay=False), help="As for tillflow up."
)
@click.option("--redis-server", type=click.Path(path_type=Path), help="As for tillflow up.")
@ports_options
@click.option(
    "--fetch-kafka",
    is_flag=True,
    help="Get Apache Kafka's jars with Maven into DATA/kafka, where tillflow up finds them.",
)
def doctor(
    data: Path,
    kafka_home: Path | None,
    redis_server: Path | None,
    fetch_kafka: bool,
    **ports: Any,
) -> None:
    """What `tillflow up` needs on this machine; exit code 1 if it could not work."""
    data = data.resolve()
    if fetch_kafka:
        _fetch(data / "kafka")
    wanted = {name.removeprefix("port_"): port for name, port in ports.items() if port}
    missing = 0
    for finding in examine(data, kafka_home, redis_server, wanted):
        missing += finding.level == "missing"
        click.echo(f"{MARKS[finding.level]}  {finding.what}: {finding.how_it_is}")
        if finding.todo:
            click.echo(f"            -> {finding.todo}")
    if missing:
        click.echo(f"tillflow up cannot work yet: {missing} missing")
        sys.exit(1)
    click.echo(f"tillflow up --data {data} can start")


def _fetch(home: Path) -> None:
    there = kafka_version(home)
    if there is not None:
        click.echo(f"Apache Kafka {there} is in {home}")
        return
    maven = shutil.which("mvn")
    if maven is None:
        msg = "there is no mvn on the PATH: install Maven, or unpack Apache Kafka (--kafka-home)"
        raise click.ClickException(msg)
    pom = Path(infra.deploy.__file__).parent / "kafka" / "pom.xml"
    click.echo(f"Maven gets Apache Kafka into {home}")
    done = subprocess.run(
        [maven, "-q", "-B", "-f", pom, *FETCH, f"-DoutputDirectory={home / 'libs'}"], check=False
    )
    if done.returncode or kafka_version(home) is None:
        msg = f"Maven did not get Apache Kafka (exit code {done.returncode}); it says why above"
        raise click.ClickException(msg)
