"""What becomes of a message whose request left and was not answered, at each kind of provider."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from channel_desk import MINUTE, World
from channel_server import ChannelServer
from channel_world import configured, decided, erased, subscribed

from schemas.channels import WhenUnknown
from schemas.instants import HOUR_US, SECOND_US


@pytest.mark.parametrize("plan", ["drop", (502, "bad gateway")])
def test_an_answer_that_never_came_is_learned(
    server: ChannelServer, world: World, plan: str | tuple[int, str]
) -> None:
    """Taken and the connection broken: found. Not taken: sent again once that is sure."""
    server.plans = [plan]
    world.hear(decided(1))
    world.go()
    assert world.states() == {"doubt": 1}
    for _ in range(4):
        world.go(skip=6 * SECOND_US)
    assert len(server.arrived) == 1
    assert world.states() == {"delivered": 1}


def test_a_provider_that_lists_messages_late_is_waited_for(
    server: ChannelServer, tmp_path: Path
) -> None:
    """Taken and not yet listed is no proof that it never came, before `settle_seconds`."""
    made = configured(server.address, tmp_path)
    patient = msgspec.structs.replace(made.channels["sms"], settle_seconds=60)
    made = msgspec.structs.replace(made, channels=made.channels | {"sms": patient})
    world = World(server, tmp_path, made=made)
    with closing(world.worker):
        server.plans, server.lists_after = ["drop"], 30
        world.hear(decided(1))
        world.go()
        for _ in range(14):
            world.go(skip=6 * SECOND_US)
    assert len(server.arrived) == 1
    assert world.states() == {"delivered": 1}


def test_erased_while_the_provider_answers(server: ChannelServer, world: World) -> None:
    """The request has left; nothing is kept of it."""

    def answer() -> tuple[int, str]:
        world.hear(erased(1))
        return 200, '{"Code": "OK", "Message": "OK", "BizId": "B"}'

    server.plans = [answer]
    world.hear(decided(1))
    world.go()
    assert world.states() == {"erased": 1}
    assert world.heap.reports == []


def test_what_never_left_is_tried_again(server: ChannelServer, world: World) -> None:
    server.plans = ["reset"]
    world.hear(decided(1))
    world.go()
    for _ in range(4):
        world.go(skip=MINUTE)
    assert len(server.arrived) == 1


def test_a_provider_that_cannot_be_asked_for_days_leaves_it_unknown(
    server: ChannelServer, world: World
) -> None:
    server.plans, server.blind = ["drop"], True
    world.hear(decided(1))
    world.go()
    for _ in range(60):
        world.go(skip=2 * HOUR_US)
    assert world.states() == {"unknown": 1}
    assert len(server.arrived) == 1
    assert world.heap.said() == [("sms", "unknown", "")]


@pytest.mark.parametrize(("purpose", "arrive"), [("marketing", 1), ("service", 2)])
def test_where_nothing_can_be_learned_the_class_says_which_side_to_err_on(
    server: ChannelServer, world: World, purpose: str, arrive: int
) -> None:
    """M2; WeChat would take a second one, as the member allowed several."""
    server.plans, server.credits["openid-1"] = ["drop"], 5
    lines = decided(1, ("wechat_subscription",), message_class=purpose)
    world.hear(subscribed(1, 5), lines)
    for _ in range(4):
        world.go(skip=MINUTE)
    assert len(server.arrived) == arrive
    assert world.states() == ({"unknown": 1} if purpose == "marketing" else {"accepted": 1})


def test_the_side_to_err_on_is_a_setting(server: ChannelServer, tmp_path: Path) -> None:
    made = configured(server.address, tmp_path)
    name = "wechat_subscription"
    careful = WhenUnknown(marketing="resend", service="show")
    other = msgspec.structs.replace(made.channels[name], when_unknown=careful)
    made = msgspec.structs.replace(made, channels=made.channels | {name: other})
    world = World(server, tmp_path, made=made)
    with closing(world.worker):
        server.plans, server.credits["openid-1"] = ["drop"], 5
        world.hear(subscribed(1, 5), decided(1, (name,), message_class="service"))
        for _ in range(3):
            world.go(skip=MINUTE)
        assert world.states() == {"unknown": 1}
        assert len(server.arrived) == 1
