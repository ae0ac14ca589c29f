"""The catalog of the service: the documented engines, flavors and algorithms, and those of this machine."""

from __future__ import annotations

import json
import os
import platform
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs

from modelarts.local import hardware

MACHINE_FLAVOR = "local"
MACHINE_ENGINE = "Local"
_MACHINE_ID = 100_000


@attrs.frozen
class Catalog:
    """Engines, flavors and algorithms by id, as lists return them."""

    engines: dict[int, dict[str, Any]]
    specs: dict[int, dict[str, Any]]
    algorithms: dict[int, dict[str, Any]]

    @property
    def engine_types(self) -> dict[int, int]:
        """The documented type of each engine that has one, by engine id."""
        return {number: row["engine_type"] for number, row in self.engines.items() if row["engine_type"]}

    def spec_by_code(self, code: str) -> dict[str, Any] | None:
        return next((spec for spec in self.specs.values() if spec["spec_code"] == code), None)


@lru_cache(maxsize=1)
def load() -> Catalog:
    """The catalog of this machine."""
    text = Path(__file__).with_name("catalog.json").read_text(encoding="utf-8")
    rows = json.loads(text)
    rows["engines"].append(_machine_engine())
    rows["specs"].append(_machine_spec())
    return Catalog(
        engines={row["engine_id"]: row for row in rows["engines"]},
        specs={row["spec_id"]: row for row in rows["specs"]},
        algorithms={row["model_id"]: row for row in rows["algorithms"]},
    )


def _machine_engine() -> dict[str, Any]:
    major, minor, _ = platform.python_version_tuple()
    return {
        "engine_id": _MACHINE_ID, "engine_type": None, "engine_name": MACHINE_ENGINE,
        "engine_version": f"Python-{major}.{minor}",
    }  # fmt: skip


def _machine_spec() -> dict[str, Any]:
    return {
        "spec_id": _MACHINE_ID, "spec_code": MACHINE_FLAVOR, "core": str(os.cpu_count()),
        "cpu": str(hardware.memory_gib()), "gpu_num": len(hardware.gpus()), "gpu_type": next(iter(hardware.gpus()), ""),
        "max_num": 8, "unit_num": 1, "storage": "", "interface_type": 1, "no_resource": False,
    }  # fmt: skip
