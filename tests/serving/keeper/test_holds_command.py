"""`tillflow holds` as its operator uses it: rebuild, show, and words for what is wrong."""

from __future__ import annotations

import json
import threading
from typing import Any

from broker import free_port
from click.testing import CliRunner, Result
from keeper_world import World

from infra.cli import main
from sinks.redis.model import HoldLine


def holds(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["holds", *map(str, arguments)])


def shown(world: World, *more: str) -> dict[str, Any]:
    result = holds("show", "--redis", world.redis.url, "--pool", world.pool, *more)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_rebuild_with_and_without_a_keeper(world: World) -> None:
    arguments = ("--redis", world.redis.url, "--pool", world.pool, "--kafka", world.broker.address)
    assert shown(world)["gate"] == "empty"
    made = holds("rebuild", *arguments)
    assert made.exit_code == 0, made.output
    first = world.gate.gate_state()
    assert first.state == "open"
    assert f"epoch {first.epoch}" in made.output

    world.opened()
    world.stocked(world.tea, "S1", 5)
    world.gate.hold("r", [HoldLine(world.tea, 2)], ttl_seconds=600, order="O-1")
    again = holds("rebuild", *arguments)
    assert again.exit_code == 0, again.output
    second = world.gate.gate_state()
    assert (second.state, second.epoch == first.epoch) == ("open", False)
    assert world.free(world.tea) == {"S1": 3}
    found = shown(world, "r")
    assert (found["gate"], found["epoch"], found["over_claimed"]) == ("open", second.epoch, [])
    assert found["keeper"]["pool"] == world.pool
    assert (found["hold"]["state"], found["hold"]["order"]) == ("held", "O-1")


def test_words_for_what_is_wrong(world: World) -> None:
    assert "--kafka" in holds("keep", "--redis", world.redis.url).output
    nobody = f"127.0.0.1:{free_port()}"
    away = holds("show", "--redis", f"redis://user:geheim@{nobody}/0")
    assert away.exit_code == 1
    assert "gave no answer" in away.output
    assert "geheim" not in away.output
    unknown = holds("show", "--redis", world.redis.url, "--pool", world.pool, "none-such")
    assert unknown.exit_code == 1
    missing = holds("serve", "--keys", world.folder / "none.yaml")
    assert "holds keys new" in missing.output


def test_a_keeper_waits_for_what_is_away(world: World) -> None:
    from infra.keeper_log import KafkaLog
    from serving.keeper.keeper import Keeper, KeeperSettings
    from sinks.redis.settings import GateSettings
    from sources.kafka.settings import KafkaSettings

    nobody = f"127.0.0.1:{free_port()}"
    settings = KeeperSettings(
        gate=GateSettings(url=f"redis://{nobody}/0"),
        status_file=world.folder / "status.json",
    )
    keeper = Keeper(settings, KafkaLog(KafkaSettings(world.broker.address)))
    stop = threading.Event()
    thread = threading.Thread(target=keeper.run, args=(stop,))
    thread.start()
    try:
        world.wait(
            lambda: "gave no answer" in (world.status().get("trouble") or ""),
            "the status does not say what is wrong",
        )
        assert world.status()["role"] == "waiting"
    finally:
        stop.set()
        thread.join()
