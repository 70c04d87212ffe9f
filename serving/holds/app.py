"""The HTTP API of holds as a Litestar application: addresses, errors, its OpenAPI page."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from serving.coupons.desk import CouponRoutesDesk
from serving.coupons.problems import of_desk
from serving.coupons.routes import coupon_routes
from serving.holds.desk import Desk
from serving.holds.door import Door
from serving.holds.keys import KeyRing
from serving.holds.limits import RateLimits
from serving.holds.page import openapi_config
from serving.holds.problems import KINDS, MEDIA_TYPE, Kind, ProblemError, of_gate, problem
from serving.holds.routes import routes
from serving.holds.settings import ApiSettings
from sinks.coupons.client import AsyncCouponDesk
from sinks.coupons.errors import CouponError
from sinks.redis.client import AsyncHoldGate
from sinks.redis.errors import GateError

LOG = logging.getLogger("tillflow.holds")

# A hundred lines of the longest names in Chinese are 126 kB.
MAX_BODY_BYTES = 160_000
# Requests in hand at most, a process; more are told to come again instead of waiting for long.
MOST_AT_ONCE = 512
_BY_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "request-too-large"}

AnyRequest = Request[Any, Any, State]


def create_app(settings: ApiSettings) -> Litestar:
    """The application of one process; it connects when it starts and lets go when it stops.

    Raises:
        KeysError: the file of keys cannot be used.
    """
    ring = KeyRing(settings.keys)
    if not settings.gate.customer_salt:
        gate_settings = msgspec.structs.replace(settings.gate, customer_salt=ring.customer_salt)
        settings = msgspec.structs.replace(settings, gate=gate_settings)
    gate = AsyncHoldGate(settings.gate)
    desk = AsyncCouponDesk(settings.desk)
    for client in (gate.client, desk.client):
        # By default a client refuses, rather than waits, when a hundred calls are under way.
        client.connection_pool.max_connections = MOST_AT_ONCE

    @asynccontextmanager
    async def connected(_app: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await gate.close()
            await desk.close()

    def answer(
        kind: Kind, body: object, request: AnyRequest, retry_after: int | None = None
    ) -> Response[Any]:
        headers = {}
        if kind.retry:
            headers["Retry-After"] = str(retry_after or settings.retry_after_seconds)
        if kind.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if kind.status >= 500:
            # The handler's own path: an address may carry anything.
            LOG.warning(
                "%s %s answered %s", request.method, request.scope.get("path_template"), kind.name
            )
        return Response(body, status_code=kind.status, headers=headers, media_type=MEDIA_TYPE)

    def on_problem(request: AnyRequest, wrong: ProblemError) -> Response[Any]:
        return answer(wrong.kind, wrong.problem, request, wrong.retry_after)

    def on_gate(request: AnyRequest, wrong: GateError) -> Response[Any]:
        kind, body = of_gate(wrong)
        if kind.status >= 500:
            LOG.warning("%s", wrong)
        return answer(kind, body, request)

    def on_desk(request: AnyRequest, wrong: CouponError) -> Response[Any]:
        kind, body = of_desk(wrong)
        if kind.status >= 500:
            LOG.warning("%s", wrong)
        return answer(kind, body, request)

    def on_http(request: AnyRequest, wrong: HTTPException) -> Response[Any]:
        name = _BY_STATUS.get(wrong.status_code)
        name = name or ("invalid-request" if wrong.status_code < 500 else "internal")
        return answer(KINDS[name], problem(KINDS[name], _detail(wrong)), request)

    def on_anything(request: AnyRequest, wrong: Exception) -> Response[Any]:
        LOG.error("a request failed", exc_info=wrong)
        kind = KINDS["internal"]
        return answer(kind, problem(kind, "see the log of the server"), request)

    return Litestar(
        route_handlers=[*routes(Desk(settings, gate)), *coupon_routes(CouponRoutesDesk(desk))],
        guards=[Door(ring, RateLimits(gate.client.execute_command))],
        exception_handlers={
            ProblemError: on_problem,
            GateError: on_gate,
            CouponError: on_desk,
            HTTPException: on_http,
            Exception: on_anything,
        },
        lifespan=[connected],
        openapi_config=openapi_config(),
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
    )


def _detail(wrong: HTTPException) -> str | None:
    """What is wrong with a request, without the values that it sent."""
    extra = wrong.extra if isinstance(wrong.extra, list) else []
    told = [
        f"{each.get('key') or 'body'}: {each.get('message')}"
        for each in extra
        if isinstance(each, dict)
    ]
    if told:
        return "; ".join(told[:5])
    if wrong.status_code == 400:
        return f"the request is not of its form (JSON, names, values): {wrong.detail}"
    return wrong.detail if wrong.status_code < 500 else None
