"""Step ids: a storage schema. A renamed step loses its state, so they are frozen by a test."""

from __future__ import annotations

from enum import StrEnum


class StockStep(StrEnum):
    """Steps of flows.stock."""

    FLOW = "stock"
    READ = "read"
    DECODE = "decode"
    SPLIT = "split"
    LEDGER = "ledger"
    MERGE = "merge"
    WAREHOUSE = "warehouse"
    READ_KAFKA = "read_kafka"
    DECODE_KAFKA = "decode_kafka"
    KAFKA = "kafka"
    TABLES = "tables"


class TransferStep(StrEnum):
    """Steps of flows.transfers."""

    FLOW = "transfers"
    READ_KAFKA = "read_kafka"
    DECODE_KAFKA = "decode_kafka"
    SPLIT = "split"
    PLAN = "plan"
    MERGE = "merge"
    KAFKA = "kafka"
    WAREHOUSE = "warehouse"


class FootfallStep(StrEnum):
    """Steps of flows.footfall."""

    FLOW = "footfall"
    READ = "read"
    DECODE = "decode"
    READ_KAFKA = "read_kafka"
    DECODE_KAFKA = "decode_kafka"
    SPLIT = "split"
    WINDOWS = "windows"
    MERGE = "merge"
    KAFKA = "kafka"
    WAREHOUSE = "warehouse"


class RosterStep(StrEnum):
    """Steps of flows.roster."""

    FLOW = "roster"
    READ = "read"
    DECODE = "decode"
    READ_KAFKA = "read_kafka"
    DECODE_KAFKA = "decode_kafka"
    READ_WAREHOUSE = "read_warehouse"
    SPLIT = "split"
    STAFFING = "staffing"
    MERGE = "merge"
    KAFKA = "kafka"
    WAREHOUSE = "warehouse"


class MembersStep(StrEnum):
    """Steps of flows.members."""

    FLOW = "members"
    READ = "read"
    DECODE = "decode"
    READ_KAFKA = "read_kafka"
    DECODE_KAFKA = "decode_kafka"
    SPLIT = "split"
    SIDES = "sides"
    JUDGE = "judge"
    PARTS = "parts"
    WHO = "who"
    PERSONS = "persons"
    MERGE = "merge"
    KAFKA = "kafka"
    WAREHOUSE = "warehouse"


class CouponsStep(StrEnum):
    """Steps of flows.coupons."""

    FLOW = "coupons"
    READ = "read"
    DECODE = "decode"
    READ_KAFKA = "read_kafka"
    DECODE_KAFKA = "decode_kafka"
    KAFKA = "kafka"
    WAREHOUSE = "warehouse"
