"""The addresses of the API and what their OpenAPI page says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
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
from serving.holds.page import GUARDED, HOLD_EXAMPLES, answers, problems
from serving.holds.problems import ProblemError

AnyRequest = Request[Any, Any, State]
MAX_SKUS = 100
_TAG = ["holds"]


def routes(desk: Desk) -> Sequence[HTTPRouteHandler]:
    """The handlers of one application."""

    @post(
        "/v1/holds",
        opt={"scope": "holds:write"},
        operation_id="hold",
        summary="Hold units",
        description="All lines or none, for a time. A new hold answers 201, a repeated request 200 "
        "and the hold as it is now. A refusal writes nothing: the same id may try again.",
        tags=_TAG,
        security=GUARDED,
        responses=answers(200, HoldAnswer, "The request was made before: the hold as it is now.")
        | problems(
            *_ALWAYS,
            "short",
            "id-conflict",
            "cap-reached",
            "already-confirmed",
            "unknown-sku",
            "request-too-large",
            "gate-full",
        ),
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

    @get(
        "/v1/holds/{hold_id:str}",
        opt={"scope": "holds:read"},
        operation_id="read",
        summary="Read a hold",
        description="As it is now; a lapsed one is `expired`, whether or not anybody tidied it.",
        tags=_TAG,
        security=GUARDED,
        responses=problems(*_ALWAYS, "unknown-hold"),
    )
    async def read(request: AnyRequest, hold_id: FromPath[str]) -> HoldAnswer:
        return await desk.read(key_of(request), hold_id)

    @post(
        "/v1/holds/{hold_id:str}/confirm",
        opt={"scope": "holds:write"},
        status_code=200,
        operation_id="confirm",
        summary="Confirm a hold: it is paid",
        description="It lapses no more. When it came too late, the units are taken again if they "
        "are still there; else the answer is `expired-short`, each time it is asked: refund.",
        tags=_TAG,
        security=GUARDED,
        responses=problems(*_ALWAYS, "unknown-hold", "expired-short", "not-held"),
    )
    async def confirm(request: AnyRequest, hold_id: FromPath[str]) -> HoldAnswer:
        return await desk.confirm(key_of(request), hold_id)

    @post(
        "/v1/holds/{hold_id:str}/release",
        opt={"scope": "holds:write"},
        status_code=200,
        operation_id="release",
        summary="Give a hold back",
        description="Twice is once. A paid one is not given back here.",
        tags=_TAG,
        security=GUARDED,
        responses=problems(*_ALWAYS, "unknown-hold", "already-confirmed"),
    )
    async def release(request: AnyRequest, hold_id: FromPath[str]) -> HoldAnswer:
        return await desk.release(key_of(request), hold_id)

    @post(
        "/v1/holds/{hold_id:str}/extend",
        opt={"scope": "holds:write"},
        status_code=200,
        operation_id="extend",
        summary="Let a hold last longer",
        description="Never shorter, and not once it has lapsed: its units may be another's.",
        tags=_TAG,
        security=GUARDED,
        responses=problems(*_ALWAYS, "unknown-hold", "already-confirmed", "not-held"),
    )
    async def extend(
        request: AnyRequest, hold_id: FromPath[str], data: JSONBody[ExtendRequest]
    ) -> HoldAnswer:
        return await desk.extend(key_of(request), hold_id, data.ttl_seconds)

    @get(
        "/v1/availability",
        opt={"scope": "availability:read"},
        operation_id="availability",
        summary="What can be promised now",
        description=f"Of up to {MAX_SKUS} SKUs, by place: on hand - allocated - held - floor.",
        tags=["availability"],
        security=GUARDED,
        responses=problems(*_ALWAYS),
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


_ALWAYS = (
    "invalid-request",
    "missing-key",
    "unknown-key",
    "missing-scope",
    "rate-limited",
    "internal",
    "gate-closed",
    "gate-busy",
    "gate-unavailable",
)
