"""Where a stack that runs can be reached, by what is written down in its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flows.settings import SettingsError, load_chain
from infra.stack.ports import HOST
from infra.stack.record import StackError, read_record


@dataclass(frozen=True, slots=True)
class StackAddress:
    """Addresses of a stack; `key` is the first one of its hold API."""

    data: Path
    kafka: str
    redis: str
    api: str
    key: str
    pool: str
    reader: str

    @property
    def read_token(self) -> Path:
        """The file of the token of the warehouse for reading."""
        return self.data / "tokens" / "dashboards"


def find_stack(data: Path) -> StackAddress:
    """The stack of a folder.

    Raises:
        StackError: none runs there.
    """
    record = read_record(data)
    if record is None or not record.running:
        msg = f"no stack runs in {data}: start one with tillflow up --data {data}"
        raise StackError(msg)
    settings, ports = record.settings, record.ports
    try:
        pool = settings.pool or load_chain(settings.config).default_pool
    except SettingsError as wrong:
        raise StackError(str(wrong)) from wrong
    token = data / "tokens" / "holds"
    return StackAddress(
        data=data,
        kafka=settings.kafka or f"{HOST}:{ports['kafka']}",
        redis=settings.redis or f"redis://{HOST}:{ports['redis']}/0",
        api=f"http://{HOST}:{ports['api']}",
        key=token.read_text("utf-8").strip() if token.exists() else "",
        pool=pool,
        reader=f"quack://{HOST}:{ports['read']}",
    )
