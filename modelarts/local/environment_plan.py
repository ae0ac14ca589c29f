"""How this machine can create the environment of a job: by conda or one of its kin, else as a virtual environment."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

NONE = "none"  # a value of the setting `local_conda`
_KINDS = ("micromamba", "mamba", "conda")
_ON_PATH = ("mamba", "micromamba", "conda")  # in the order of preference: mamba is the faster one
_COME_WITH = {"pip", "setuptools", "wheel"}  # packages that every environment can have by pip


class NoEnvironment(Exception):
    """Why an environment cannot be created on this machine, and what to do."""


@attrs.frozen
class Planner:
    """Knows the tools of this machine.

    Args:
        conda: the setting `local_conda`.
        starter: variables of the process that started the service.
    """

    conda: str = ""
    starter: Mapping[str, str] = attrs.field(factory=lambda: os.environ, repr=False)

    def plan(self, environment: Mapping[str, Any] | None, program: str) -> dict[str, Any] | None:
        """How to create an environment: its members, and what creates it.

        Args:
            environment: the member of a body; `None` if a job has no environment.
            program: the interpreter of the engine, for environments that name no Python.

        Returns:
            The members with `kind` and `tool` of conda, both empty for a virtual environment, and `program`, the
            interpreter below one.

        Raises:
            NoEnvironment: that is impossible.
        """
        if environment is None:
            return None
        if tool := self.tool():
            return {**environment, "kind": kind_of(tool), "tool": tool, "program": program}
        return {**environment, "kind": "", "tool": "", "program": self._interpreter(environment, program)}

    def tool(self) -> str:
        """The path of conda or one of its kin; empty if there is none. Raises `NoEnvironment` for a wrong setting."""
        if self.conda.lower() == NONE:
            return ""
        path = self.starter.get("PATH", os.defpath)
        if self.conda:
            found = shutil.which(Path(self.conda).expanduser(), path=path)
            if not found:
                raise NoEnvironment(
                    f"the setting local_conda is {self.conda!r}, and there is no such program: name one that is there, "
                    f"or {NONE!r} for virtual environments only, and run `modelarts local stop`"
                )
            return str(found)
        names = [self.starter.get("MAMBA_EXE"), *_ON_PATH[:2], self.starter.get("CONDA_EXE"), *_ON_PATH[2:]]
        return next((found for name in names if name and (found := shutil.which(name, path=path))), "")

    def _interpreter(self, environment: Mapping[str, Any], program: str) -> str:
        from modelarts.local import pythons  # few services need it, and its imports would delay the start of all

        wanted = [package.strip() for package in environment["conda_packages"]]
        wanted = [package for package in wanted if package.lower() not in _COME_WITH]
        others = [package for package in wanted if not pythons.is_requirement(package)]
        if others:
            raise NoEnvironment(self._refusal(others, ", or name what pip can install in pip_packages"))
        if not wanted:
            return program
        found = pythons.find(wanted, self.starter)
        if found is None:
            there = ", ".join(one.text for one in pythons.available(self.starter))
            advice = f", or write a version that is there: Python {there}"
            raise NoEnvironment(self._refusal(wanted, advice))
        return found.program

    def _refusal(self, packages: list[str], advice: str) -> str:
        from modelarts._wire.v1.packages import hidden

        where, change = ("the setting local_conda is none", "Change it") if self.conda else (
            "the local service finds none of them on its PATH", "Install one of them"
        )  # fmt: skip
        return (
            f"conda_packages={list(map(hidden, packages))!r} need conda, mamba or micromamba, and {where}. "
            f"{change} and run `modelarts local stop`, so that the next session starts the service again{advice}"
        )


def kind_of(tool: str) -> str:
    """Which program a path is, by its name: their command lines differ."""
    name = Path(tool).name.lower()
    return next((kind for kind in _KINDS if kind in name), "conda")
