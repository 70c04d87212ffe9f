"""channels.yaml: what is wrong is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.channels import AliyunSms
from schemas.channels_file import ChannelsProblem, load_channels, read_channels

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "channels" / "channels.yaml"
GOOD = """channels:
  sms:
    type: aliyun_sms
    access_key_id: env:A
    access_key_secret: file:/run/secrets/b
    sign_name: 街角
contacts: c.csv
templates:
  text:
    sms: {code: SMS_1, values: {a: "{text}"}}
"""


def test_the_example_is_read_and_its_paths_are_beside_it() -> None:
    made = load_channels(EXAMPLE)
    assert made.contacts == str(EXAMPLE.parent / "contacts.csv")
    assert set(made.channels) == {"sms", "wechat_subscription", "wecom", "mini_program", "pos"}


def test_the_coupon_desk_is_a_way_of_its_own() -> None:
    made = read_channels(GOOD + "coupons: {redis: env:R}\n")
    assert list(made.ways) == ["sms", "coupons"]
    assert made.coupons is not None
    assert made.coupons.pool == "all"
    assert list(read_channels(GOOD).ways) == ["sms"]
    with pytest.raises(ChannelsProblem, match=r"line 2: channels\.coupons: this name"):
        read_channels(GOOD.replace("  sms:\n", "  coupons:\n", 1))
    with pytest.raises(ChannelsProblem, match="a secret is not written here"):
        read_channels(GOOD + "coupons: {redis: 'redis://:secret@host/0'}\n")


def test_the_smallest_file() -> None:
    made = read_channels(GOOD)
    assert isinstance(made.channels["sms"], AliyunSms)
    assert made.channels["sms"].when_unknown.marketing == "show"


@pytest.mark.parametrize(
    ("there", "instead", "said"),
    [
        ("env:A", "LTAI5tFake", "line 4: channels.sms.access_key_id: a secret is not written here"),
        ("sign_name", "signname", "line 6: channels.sms.signname: there is no setting signname"),
        ("aliyun_sms", "alyun", "line 3: channels.sms.type: Invalid value 'alyun'"),
        (
            "    sms: {",
            "    smss: {",
            "line 10: templates.text.smss: there is no channel smss",
        ),
        ("code: SMS_1, ", "", "line 10: templates.text.sms.code: the provider's code"),
        ("{text}", "{phone}", "there is no {phone}; there are text, gift"),
        ("contacts: c.csv\n", "", "missing required field `contacts`"),
        ("channels:", "channel:", "channels is a mapping of a name to a channel"),
        ("channels:", "channels: [", "this is no YAML"),
    ],
)
def test_mistakes_have_their_line(there: str, instead: str, said: str) -> None:
    with pytest.raises(ChannelsProblem) as wrong:
        read_channels(GOOD.replace(there, instead, 1))
    assert said in str(wrong.value)
    assert "LTAI5tFake" not in str(wrong.value)
