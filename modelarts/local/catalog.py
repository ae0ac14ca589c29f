"""The catalog of the service: the documented engines, flavors and algorithms, and those of this machine."""

from __future__ import annotations

import json
import os
import platform
import zlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs

from modelarts.local import hardware

MACHINE_FLAVOR = "local"
MACHINE_ENGINE = "Local"
_MACHINE_ID = 100_000
_ADDED_IDS = 1_000_000


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

    def with_more(self, engines: Mapping[str, list[str]], flavors: Mapping[str, Mapping[str, Any]]) -> Catalog:
        """This catalog with those of the settings `local_engines` and `local_flavors` that it does not have."""
        known = {row["engine_name"].lower(): row for row in self.engines.values()}
        listed = {(row["engine_name"].lower(), row["engine_version"]) for row in self.engines.values()}
        more = [
            _engine(known.get(name.lower(), {"engine_name": name, "engine_type": None}), version)
            for name, versions in engines.items() for version in versions if (name.lower(), version) not in listed
        ]  # fmt: skip
        codes = {row["spec_code"] for row in self.specs.values()}
        specs = [
            {**_machine_spec(), "spec_id": _id_of(code), "spec_code": code, **members}
            for code, members in flavors.items() if code not in codes
        ]  # fmt: skip
        return attrs.evolve(
            self, engines={**self.engines, **{row["engine_id"]: row for row in more}},
            specs={**self.specs, **{row["spec_id"]: row for row in specs}},
        )  # fmt: skip

    def engine_named(self, name: str) -> int | None:
        """The id of the first engine with this name."""
        return next((number for number, row in self.engines.items() if row["engine_name"] == name), None)

    def is_debugging(self, settings: Mapping[str, Any]) -> bool:
        """Whether these settings are of debugging on this machine (modelarts_04_0222)."""
        spec = self.specs.get(settings["spec_id"] or 0)
        return spec is not None and spec["spec_code"] == MACHINE_FLAVOR

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


def _engine(like: Mapping[str, Any], version: str) -> dict[str, Any]:
    name = like["engine_name"]
    return {
        "engine_id": _id_of(f"{name} {version}"), "engine_type": like["engine_type"], "engine_name": name,
        "engine_version": version,
    }  # fmt: skip


def _id_of(name: str) -> int:
    """The id of an added engine or flavor: the same whatever else is added, as jobs keep it."""
    return _ADDED_IDS + zlib.crc32(name.encode()) % 1_000_000_000


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
