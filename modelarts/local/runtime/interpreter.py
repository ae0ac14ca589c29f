"""The interpreter of a job, as a part of its spec."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from modelarts.local import interpreters
from modelarts.local.paths import LocalHome
from modelarts.local.runtime.environment import JobEnvironment
from modelarts.local.runtime.script_path import SCRIPT_PATH


def python_of(
    program: str, home: LocalHome, environment: JobEnvironment, packages: list[str], installs: bool,
    declared: dict[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What a place needs to know to run jobs on an interpreter.

    Args:
        program: the interpreter, or a script that starts it.
        packages: folders that the interpreter of the service imports this package from.
        installs: whether the requirements of the code are installed; images have their packages already.
        declared: the environment of the job and how to create it, see `environment_plan.Planner.plan`.
    """
    program = declared["program"] if declared else program
    known = interpreters.own() if program == sys.executable else None  # others are asked where the job runs
    return {
        "program": program,
        "interpreter": known and known._asdict(),
        "declared": declared,
        "path": [
            *([folder for folder in packages if folder not in known.sites] if known and not declared else ()),
            SCRIPT_PATH,
        ],
        "shown": [str(Path(SCRIPT_PATH).parents[2])],  # the code of `moxing` is beside that folder
        "environments": str(home.environments),
        "packages": str(home.packages),
        "requirements": installs,
        "variables": environment.of_programs(),
    }
