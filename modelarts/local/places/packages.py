"""The Python environment of each worker: the interpreter of the engine with the job's own packages on top.

Standard library only: the supervisor uses this module.
"""

from __future__ import annotations

import json
import os
from typing import Any

from modelarts.local import files, interpreters
from modelarts.local.interpreters import Interpreter, InterpreterError
from modelarts.local.places import thin_venv
from modelarts.local.places.start_failure import StartFailure

HOME_NAME = "modelarts-home"  # for `moxing` in processes that a script starts without the variables of the job
CANNOT_START = 126  # the return code of a shell for a program that cannot be started
_FIRST = ("PATH", "PYTHONPATH")  # variables in which ours come first
_OURS = ("PYTHONUSERBASE", "VIRTUAL_ENV")
# A script that starts an interpreter may set variables, limits and more: workers start by way of it.
_CONTINUE = """\
import json, os, sys
first, ours = json.loads(sys.argv[1])
for name, value in first.items():
    theirs = os.environ.get(name, "")
    os.environ[name] = value if theirs in ("", value) else value + os.pathsep + theirs
os.environ.update(ours)
os.execvp(sys.argv[2], sys.argv[2:])
"""


def prepare(spec: dict[str, Any]) -> list[str]:
    """Create the environment of each worker, and let its variables refer to it.

    Returns:
        The folders outside the job that its interpreter needs.

    Raises:
        StartFailure: why that is impossible.
    """
    wanted = spec["python"]
    python = _interpreter(wanted)
    for worker in spec["workers"]:
        try:
            thin_venv.create(worker["python"], python, path=wanted["path"])
            files.write(os.path.join(worker["python"], HOME_NAME), worker["environment"]["MODELARTS_HOME"].encode())
        except (OSError, ValueError) as error:
            raise StartFailure(f"the Python environment {worker['python']} cannot be created: {error}") from None
        _refer_to(worker, python)
    return [*python.folders, *wanted["path"], *wanted["shown"]]


def _interpreter(wanted: dict[str, Any]) -> Interpreter:
    if wanted["interpreter"] is not None:
        return Interpreter(**wanted["interpreter"])
    cache = os.path.join(wanted["environments"], "interpreters")
    try:
        return interpreters.ask(wanted["program"], wanted["variables"], cache)
    except (InterpreterError, OSError, ValueError) as error:
        raise StartFailure(f"{wanted['program']} cannot be started: {error}", CANNOT_START) from None


def _refer_to(worker: dict[str, Any], python: Interpreter) -> None:
    environment = worker["environment"]
    folders = [os.path.join(worker["python"], "bin"), python.scripts, environment["PATH"]]
    environment["PATH"] = os.pathsep.join(folders)
    if not python.has_environments:
        environment["PIP_USER"] = "1"  # into PYTHONUSERBASE, which is a folder of the job
    if python.wrapper:
        first = {name: environment[name] for name in _FIRST}
        ours = {name: environment[name] for name in _OURS}
        worker["launcher"] = [python.wrapper, "-c", _CONTINUE, json.dumps([first, ours])]
