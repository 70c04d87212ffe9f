"""Health models for tests, whose bands change within days."""

from __future__ import annotations

from operators.members.health.alive import Parameters
from operators.members.health.model import HealthModel, Weight

PURCHASES = Parameters(0.525, 43.3, 0.891, 1.614)


def quick_model(version: str = "q1", weight: float = -2.0) -> HealthModel:
    """Chances fall by the hour: 0.8 on the day of a purchase, a half on the next, soon nothing."""
    return HealthModel(
        version=version,
        kind="full",
        purchases=PURCHASES,
        gap_days=3.0,
        constant=0.0,
        weights={
            "base": Weight(-1.0, 2.0, 0.3),
            "trend": Weight(1.0, 1.0, 0.2),
            "recency": Weight(0.7, 1.0, weight),
            "returns": Weight(0.0, 1.0, -0.5),
        },
        bands=(0.3, 0.6),
        evidence={},
        members=100,
    )
