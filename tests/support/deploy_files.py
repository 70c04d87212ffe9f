"""What the files of deployments hold: compose services, and the documents of the manifests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "infra" / "deploy"
KUBERNETES = DEPLOY / "kubernetes"


@cache
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


@cache
def documents() -> list[tuple[str, dict[str, Any]]]:
    """Every document of the manifests, with its file."""
    return [
        (path.name, document)
        for path in sorted(KUBERNETES.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
    ]


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    return [document for _, document in documents() if document["kind"] in kinds]


def workloads() -> list[dict[str, Any]]:
    return of_kind("StatefulSet", "Deployment")


def containers() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Pod templates' specs and their containers."""
    for one in workloads():
        spec = one["spec"]["template"]["spec"]
        yield from ((spec, container) for container in spec["containers"])
