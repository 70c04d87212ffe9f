"""The one place that talks to Redis: conversations (see `scripted`) held, blocking or awaited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import redis
import redis.asyncio
from redis.exceptions import RedisError, ResponseError

from sinks.redis.scripted import Command, Scripted, Steps

T = TypeVar("T")


class Blocking:
    """A client for threads."""

    def __init__(self, protocol: Scripted, url: str, timeout_seconds: float) -> None:
        self._told_by = protocol
        self.client = redis.Redis.from_url(url, socket_timeout=timeout_seconds)
        # redis-py leaves this method untyped.
        self._execute: Callable[..., Any] = self.client.execute_command

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self.client.close()

    def unavailable(self, wrong: Exception) -> Exception:
        """The error when no answer came."""
        return self._told_by.unavailable(wrong)

    def run(self, steps: Steps[T]) -> T:
        """Talk a conversation through to its end."""
        try:
            commands = next(steps)
            while True:
                commands = steps.send(self._send(commands))
        except StopIteration as end:
            answer: T = end.value
            return answer

    def _send(self, commands: list[Command]) -> list[Any]:
        try:
            if len(commands) == 1:
                try:
                    return [self._execute(*commands[0])]
                except ResponseError as refused:
                    return [refused]
            with self.client.pipeline(transaction=False) as pipeline:
                queue: Callable[..., Any] = pipeline.execute_command
                for command in commands:
                    queue(*command)
                return pipeline.execute(raise_on_error=False)
        except RedisError as wrong:
            raise self._told_by.unavailable(wrong) from wrong


class Awaited:
    """A client for asyncio."""

    def __init__(self, protocol: Scripted, url: str, timeout_seconds: float) -> None:
        self._told_by = protocol
        self.client = redis.asyncio.Redis.from_url(url, socket_timeout=timeout_seconds)
        # redis-py leaves this method untyped.
        self._execute: Callable[..., Awaitable[Any]] = self.client.execute_command

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        await self.client.aclose()

    async def run(self, steps: Steps[T]) -> T:
        """Talk a conversation through to its end."""
        try:
            commands = next(steps)
            while True:
                commands = steps.send(await self._send(commands))
        except StopIteration as end:
            answer: T = end.value
            return answer

    async def _send(self, commands: list[Command]) -> list[Any]:
        try:
            if len(commands) == 1:
                try:
                    return [await self._execute(*commands[0])]
                except ResponseError as refused:
                    return [refused]
            async with self.client.pipeline(transaction=False) as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)
                return await pipeline.execute(raise_on_error=False)
        except RedisError as wrong:
            raise self._told_by.unavailable(wrong) from wrong
