"""Who may come in: the API key of a request, its scope, its rate."""

from __future__ import annotations

import logging
from typing import Any, cast

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers.base import BaseRouteHandler

from serving.holds.keys import ApiKey, KeyRing, Scope
from serving.holds.limits import RateLimits
from serving.holds.problems import ProblemError

LOG = logging.getLogger("tillflow.holds")

Connection = ASGIConnection[BaseRouteHandler, object, object, State]
_BEARER = "bearer "


class Door:
    """A Litestar guard; handlers say by `scope=` what a request needs."""

    def __init__(self, keys: KeyRing, limits: RateLimits) -> None:
        self._keys, self._limits = keys, limits
        self._told: str | None = None

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Let a request pass, with its key in `connection.state.key`.

        Raises:
            ProblemError: it may not pass.
        """
        scope = cast("Scope | None", handler.opt.get("scope"))
        if scope is None:
            return
        given = connection.headers.get("authorization", "")
        if given[: len(_BEARER)].lower() != _BEARER:
            msg = "send the header `Authorization: Bearer <key>`"
            raise ProblemError(msg, "missing-key")
        key = self._keys.find(given[len(_BEARER) :].strip())
        if self._keys.problem != self._told:
            self._told = self._keys.problem
            if self._told is not None:
                LOG.error("the keys stay as they were: %s", self._told)
        if key is None:
            msg = "ask whoever runs this API for a new key"
            raise ProblemError(msg, "unknown-key")
        if scope not in key.scopes:
            msg = f"key {key.id} lacks the scope {scope}"
            raise ProblemError(msg, "missing-scope")
        wait = await self._limits.wait_seconds(key)
        if wait:
            msg = f"key {key.id} may make {key.rate:g} requests a second: wait {wait} s"
            raise ProblemError(msg, "rate-limited", retry_after=wait)
        connection.state.key = key


def key_of(connection: ASGIConnection[Any, Any, Any, State]) -> ApiKey:
    """The key that a request came in with."""
    key = connection.state.key
    assert isinstance(key, ApiKey)
    return key
