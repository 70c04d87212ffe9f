"""A channels worker between Kafka, a coupon desk and a warehouse, that kills itself at a step."""

from __future__ import annotations

import logging
import os
import signal
import threading
from pathlib import Path

from schemas.channels_file import read_channels
from schemas.journey_rules import JourneysConfig
from sinks.channels.telling import KafkaTeller, Tellers, WarehouseTeller
from sinks.channels.worker import Worker
from sources.decisions import KafkaInbox
from sources.kafka.settings import KafkaSettings

# What the clock on the wall says is no part of it.
RULES = JourneysConfig(quiet_hours=None, caps=())
WAREHOUSE = "w.duckdb"
_FILE = """\
channels:
  sms: {{type: sandbox, path: {folder}/sent.jsonl}}
  mini_program: {{type: offers}}
  wechat_subscription: {{type: offers}}
contacts: {folder}/contacts.csv
coupons: {{redis: 'file:{folder}/redis.address', pool: '{pool}'}}
"""


def work(folder: Path, brokers: str, redis: str, pool: str, step: str) -> None:
    """Read the log to its end and do what it says; killed at the step, if one is named."""

    def made(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    logging.disable(logging.CRITICAL)
    (folder / "contacts.csv").write_text("member\n", "utf-8")
    (folder / "redis.address").write_text(redis, "utf-8")
    config = read_channels(_FILE.format(folder=folder, pool=pool))
    settings = KafkaSettings(brokers)
    tellers = Tellers([KafkaTeller(settings), WarehouseTeller(folder / WAREHOUSE)])
    with Worker(config, RULES, folder / "channels.sqlite", {}, tellers, steps=made) as worker:
        inbox = KafkaInbox(settings, worker.store.positions())
        worker.run(inbox, threading.Event(), once=True)
        inbox.close()
