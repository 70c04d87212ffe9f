"""The addresses of the API and what their OpenAPI page says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body, FromPath, HeaderParameter, JSONBody, QueryParameter

from serving.holds.desk import Desk
from serving.holds.door import key_of
from serving.holds.messages import (
    AvailabilityAnswer,
    ExtendRequest,
    HealthAnswer,
    HoldAnswer,
    HoldRequest,
)
from serving.holds.page import HOLD_EXAMPLES, Guarded, answers
from serving.holds.problems import ProblemError

AnyRequest = Request[Any, Any, State]
MAX_SKUS = 100
_CLOSED = ("gate-closed", "gate-busy", "gate-unavailable")
_holds = Guarded("holds", *_CLOSED)
_availability = Guarded("availability", *_CLOSED)


def routes(desk: Desk) -> Sequence[HTTPRouteHandler]:
    """The handlers of one application."""

    @_holds.make(
        "/v1/holds",
        "holds:write",
        "hold",
        "Hold units",
        "All lines or none, for a time. A new hold answers 201, a repeated request 200 "
        "and the hold as it is now. A refusal writes nothing: the same id may try again.",
        "short",
        "id-conflict",
        "cap-reached",
        "already-confirmed",
        "unknown-sku",
        "request-too-large",
        "gate-full",
        again=answers(200, HoldAnswer, "The request was made before: the hold as it is now."),
    )
    async def hold(
        request: AnyRequest,
        data: Annotated[HoldRequest, Body(examples=HOLD_EXAMPLES)],
        idempotency_key: Annotated[
            str | None,
            HeaderParameter(
                name="Idempotency-Key",
                max_length=200,
                description="The id of the hold, where the body has none.",
            ),
        ] = None,
    ) -> Response[HoldAnswer]:
        made = await desk.hold(key_of(request), data, idempotency_key)
        return Response(made, status_code=200 if made.replayed else 201)

    @_holds.read(
        "/v1/holds/{hold_id:str}",
        "holds:read",
        "read",
        "Read a hold",
        "As it is now; a lapsed one is `expired`, whether or not anybody tidied it.",
        "unknown-hold",
    )
    async def read(request: AnyRequest, hold_id: FromPath[str]) -> HoldAnswer:
        return await desk.read(key_of(request), hold_id)

    @_holds.call(
        "/v1/holds/{hold_id:str}/confirm",
        "holds:write",
        "confirm",
        "Confirm a hold: it is paid",
        "It lapses no more. When it came too late, the units are taken again if they "
        "are still there; else the answer is `expired-short`, each time it is asked: refund.",
        "unknown-hold",
        "expired-short",
        "not-held",
    )
    async def confirm(request: AnyRequest, hold_id: FromPath[str]) -> HoldAnswer:
        return await desk.confirm(key_of(request), hold_id)

    @_holds.call(
        "/v1/holds/{hold_id:str}/release",
        "holds:write",
        "release",
        "Give a hold back",
        "Twice is once. A paid one is not given back here.",
        "unknown-hold",
        "already-confirmed",
    )
    async def release(request: AnyRequest, hold_id: FromPath[str]) -> HoldAnswer:
        return await desk.release(key_of(request), hold_id)

    @_holds.call(
        "/v1/holds/{hold_id:str}/extend",
        "holds:write",
        "extend",
        "Let a hold last longer",
        "Never shorter, and not once it has lapsed: its units may be another's.",
        "unknown-hold",
        "already-confirmed",
        "not-held",
    )
    async def extend(
        request: AnyRequest, hold_id: FromPath[str], data: JSONBody[ExtendRequest]
    ) -> HoldAnswer:
        return await desk.extend(key_of(request), hold_id, data.ttl_seconds)

    @_availability.read(
        "/v1/availability",
        "availability:read",
        "availability",
        "What can be promised now",
        f"Of up to {MAX_SKUS} SKUs, by place: on hand - allocated - held - floor.",
    )
    async def availability(
        sku: Annotated[
            list[str],
            QueryParameter(min_items=1, max_items=MAX_SKUS, description="Again for others."),
        ],
        place: Annotated[
            list[str] | None,
            QueryParameter(max_items=500, description="Only there; again for others."),
        ] = None,
    ) -> AvailabilityAnswer:
        for name in (*sku, *(place or ())):
            if not 1 <= len(name) <= 200:
                msg = "a sku or place has 1 to 200 characters"
                raise ProblemError(msg, "invalid-request")
        return await desk.available(sku, place)

    @get(
        "/health",
        operation_id="health",
        summary="Are holds taken?",
        description="200 when Redis answers and the gate is open, else 503. Needs no key.",
        tags=["operation"],
        responses=answers(503, HealthAnswer, "Holds are refused just now."),
    )
    async def health() -> Response[HealthAnswer]:
        found = await desk.health()
        return Response(found, status_code=200 if found.status == "ok" else 503)

    @get("/openapi.json", include_in_schema=False, sync_to_thread=False)
    def page(request: AnyRequest) -> Response[bytes]:
        schema = msgspec.json.encode(request.app.openapi_schema.to_schema())
        return Response(schema, media_type="application/json")

    return [hold, read, confirm, release, extend, availability, health, page]
