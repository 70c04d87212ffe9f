"""What addresses share, and what the OpenAPI page says besides them: security, problems."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec
from litestar import get, post
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, Example, SecurityScheme, Tag

from serving.holds.keys import SCOPES
from serving.holds.messages import Problem
from serving.holds.problems import KINDS, MEDIA_TYPE, URN, problem

KEY_SCHEME = "api_key"
GUARDED: list[dict[str, list[str]]] = [{KEY_SCHEME: []}]
EVERY_CALL = (
    "invalid-request",
    "missing-key",
    "unknown-key",
    "missing-scope",
    "rate-limited",
    "internal",
)

HOLD_EXAMPLES = [
    Example(
        summary="Two SKUs, one of them at a certain place",
        value={
            "id": "cart-81-3",
            "lines": [
                {"sku": "TEA-500", "quantity": 2},
                {"sku": "CUP-L", "quantity": 1, "place": "S001"},
            ],
            "ttl_seconds": 600,
            "order": "O-81",
            "customer": "member-4711",
            "placing": {"order": ["S001", "S007"]},
        },
    )
]


def openapi_config() -> OpenAPIConfig:
    """The page; `/openapi.json` is served by a handler of its own."""
    kinds = "\n".join(
        f"| `{URN}{kind.name}` | {kind.status} | {kind.title} |" for kind in KINDS.values()
    )
    return OpenAPIConfig(
        title="tillflow holds and coupons",
        version="1",
        description="Units are held before they are paid: all lines or none, for a time, once.\n\n"
        "Errors are `application/problem+json` (RFC 9457); decide by `type`:\n\n"
        f"| type | status | |\n|---|---|---|\n{kinds}\n",
        components=Components(
            security_schemes={
                KEY_SCHEME: SecurityScheme(
                    type="http",
                    scheme="bearer",
                    description="A key of `tillflow holds keys new`; it has scopes "
                    "(" + ", ".join(SCOPES) + ") and a channel.",
                )
            }
        ),
        tags=[
            Tag(name="holds", description="Claims on units before payment."),
            Tag(name="availability", description="What can be promised."),
            Tag(name="coupons", description="Issued, reserved at a till, redeemed, rolled back."),
            Tag(name="offers", description="What coupons do to a basket."),
            Tag(name="operation", description="For those who run it."),
        ],
        render_plugins=[JsonRenderPlugin()],
    )


def answers(status: int, container: type, description: str) -> dict[int, ResponseSpec]:
    """A further answer of an address that is no problem."""
    return {status: ResponseSpec(container, generate_examples=False, description=description)}


def problems(*names: str) -> dict[int, ResponseSpec]:
    """The problems of an address, by status; each kind with its example."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for name in names:
        by_status[KINDS[name].status].append(name)
    return {
        status: ResponseSpec(
            Problem,
            generate_examples=False,
            description="; ".join(f"`{name}`: {KINDS[name].title}" for name in sorted(some)),
            media_type=MEDIA_TYPE,
            examples=[
                Example(summary=name, value=msgspec.to_builtins(problem(KINDS[name], None)))
                for name in some
            ],
        )
        for status, some in sorted(by_status.items())
    }


class Guarded:
    """Decorators of the addresses of one tag that need a key.

    `always` are the problems that each of them may answer with beside those of every call.
    """

    def __init__(self, tag: str, *always: str) -> None:
        self._tag = tag
        self._always = (*EVERY_CALL, *always)

    def read(
        self, path: str, scope: str, name: str, summary: str, description: str, *more: str
    ) -> get:
        """A question; `name` is its operation id, `more` are further problems."""
        return get(path, **self._about(scope, name, summary, description, more))

    def call(
        self, path: str, scope: str, name: str, summary: str, description: str, *more: str
    ) -> post:
        """A call that answers 200."""
        return post(path, status_code=200, **self._about(scope, name, summary, description, more))

    def make(
        self,
        path: str,
        scope: str,
        name: str,
        summary: str,
        description: str,
        *more: str,
        again: dict[int, ResponseSpec],
    ) -> post:
        """A call that makes something: 201, or what `again` says where it was made before."""
        about = self._about(scope, name, summary, description, more)
        return post(path, **about | {"responses": again | about["responses"]})

    def _about(
        self, scope: str, name: str, summary: str, description: str, more: tuple[str, ...]
    ) -> dict[str, Any]:
        return {
            "opt": {"scope": scope},
            "operation_id": name,
            "summary": summary,
            "description": description,
            "tags": [self._tag],
            "security": GUARDED,
            "responses": problems(*self._always, *more),
        }
