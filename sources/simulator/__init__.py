"""A simulated chain with its hidden truth, and a plain fast generator for benchmarks.

`simulate(settings)` plays a chain in process, `write(settings, out)` writes one to a folder;
`settings_from` and `clean` make settings. `sources.simulator.bulk` is the fast generator.
"""

from sources.simulator.presets import PRESETS, settings_from
from sources.simulator.settings import Settings, clean
from sources.simulator.simulation import Simulation, simulate
from sources.simulator.writing import Manifest, write

__all__ = [
    "PRESETS",
    "Manifest",
    "Settings",
    "Simulation",
    "clean",
    "settings_from",
    "simulate",
    "write",
]
