"""Holds every answer of an API against what its own OpenAPI page promises."""

from __future__ import annotations

import re
from typing import Any

import httpx


class OpenApiCheck:
    """A hook for `httpx`: an answer that the page does not know of, or of another form, fails."""

    def __init__(self, page: dict[str, Any]) -> None:
        self.page = page
        self.seen: set[tuple[str, str, int]] = set()
        self._paths = {
            path: re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path) + "$") for path in page["paths"]
        }

    def __call__(self, answer: httpx.Response) -> None:
        from openapi_schema_validator import OAS31Validator

        answer.read()
        method = answer.request.method.lower()
        path = self._path(answer.request.url.path)
        if path is None or method not in self.page["paths"][path]:
            assert answer.status_code in {404, 405}, answer
            return
        known = self.page["paths"][path][method]["responses"]
        promised = known.get(str(answer.status_code))
        assert promised, f"{method} {path} answered {answer.status_code}: {answer.text}"
        kind = answer.headers["content-type"].partition(";")[0]
        schema = promised["content"][kind]["schema"]
        whole = schema | {"components": self.page["components"]}
        OAS31Validator(whole).validate(answer.json())
        self.seen.add((path, method, answer.status_code))

    def _path(self, path: str) -> str | None:
        return next((name for name, form in self._paths.items() if form.match(path)), None)
