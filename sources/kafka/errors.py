"""What can go wrong with a log; every message says what, where and what to do."""

from __future__ import annotations


class BrokerError(Exception):
    """The log cannot be used as it is: brokers, topics, rights."""


class LostOffsetError(BrokerError):
    """Records are gone that were never read."""
