"""The Python environment of each worker: the interpreter of the engine with the job's own packages on top.

Standard library only: the supervisor uses this module.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from typing import Any, Callable, NamedTuple

from modelarts.local import files, interpreters
from modelarts.local.interpreters import Interpreter, InterpreterError
from modelarts.local.places import programs, thin_venv
from modelarts.local.places.start_failure import StartFailure
from modelarts.local.places.worker_log import Log
from modelarts.local.processes import Process

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


def prepare(
    spec: dict[str, Any], logs: list[Log], stopped: threading.Event, record: Callable[[Process], None]
) -> list[str]:
    """Install what the code requires, create the environment of each worker, and let its variables refer to it.

    Args:
        record: notes a process that must end if this one is killed.

    Returns:
        The folders outside the workers' own that they need.

    Raises:
        StartFailure: why that is impossible.
    """
    wanted, own = spec["python"], os.path.dirname(spec["workers"][0]["python"])
    base, code = _base(wanted, own, logs, stopped, record), _code_with_requirements(spec)
    python, installed = base.python, base.layers
    if code:
        required = _install(code, python, wanted, os.path.join(own, "packages"), logs, stopped, record)
        installed = [*filter(None, [required]), *installed]
    try:
        of_python = programs.of_interpreter(python, os.path.join(wanted["environments"], "programs"))
        for worker in spec["workers"]:
            worker["environment"].update(base.variables)
            layers = [thin_venv.packages_of(environment, python) for environment in installed]
            if not worker.get("has_python"):
                _create(worker, python, layers, wanted["path"])
            _refer_to(worker, python, layers, [*(os.path.join(one, "bin") for one in installed), of_python])
    except (OSError, ValueError) as error:
        raise StartFailure(f"the Python environment of the job cannot be created: {error}") from None
    sources = [code] if code else []  # some packages are used where they are in the code
    return [*python.folders, *wanted["path"], *wanted["shown"], *installed, *sources, of_python]


def begin(spec: dict[str, Any], worker: dict[str, Any]) -> None:
    """Create the environment of a worker in advance, if nothing has to be found out or installed before.

    Raises:
        OSError, ValueError: that is impossible; `prepare` will say why.
    """
    wanted = spec["python"]
    if wanted["interpreter"] is not None and wanted["declared"] is None and not _code_with_requirements(spec):
        _create(worker, Interpreter(**wanted["interpreter"]), [], wanted["path"])
        worker["has_python"] = True


def _create(worker: dict[str, Any], python: Interpreter, layers: list[str], path: list[str]) -> None:
    shutil.rmtree(worker["python"], ignore_errors=True)  # of an attempt that failed
    thin_venv.create(worker["python"], python, layers, path)
    files.write(os.path.join(worker["python"], HOME_NAME), worker["environment"]["MODELARTS_HOME"].encode())


def _code_with_requirements(spec: dict[str, Any]) -> str:
    """The code folder, if its requirements are to be installed; else an empty text."""
    if spec["code"] is None or not spec["python"]["requirements"]:
        return ""
    code = os.path.join(spec["workers"][0]["directory"], spec["code"]["name"])
    return code if os.path.exists(os.path.join(code, "pip-requirements.txt")) else ""


class _Base(NamedTuple):
    """What the packages of a job are on top of."""

    python: Interpreter
    layers: list[str]  # environments with packages
    variables: dict[str, str]


def _base(
    wanted: dict[str, Any], own: str, logs: list[Log], stopped: threading.Event, record: Callable[[Process], None]
) -> _Base:
    """The interpreter of the engine, or the environment that the job declares."""
    declared = wanted["declared"]
    if declared is None:
        return _Base(_interpreter(wanted), [], {})
    from modelarts.local.places import job_environment
    from modelarts.local.places.installer_process import Progress

    progress = Progress(logs, stopped, record)
    if declared["tool"]:
        python, folder = job_environment.conda(declared, wanted, own, progress)
        base = _Base(python, [], {"CONDA_PREFIX": folder, "CONDA_DEFAULT_ENV": declared["name"]})
    else:
        base = _Base(*job_environment.virtual(declared, _interpreter(wanted), wanted, own, progress), {})
    progress.note(f"environment {declared['name']!r} has Python {base.python.version} ({base.python.executable})")
    return base


def _install(
    code: str, python: Interpreter, wanted: dict[str, Any], own: str, logs: list[Log], stopped: threading.Event,
    record: Callable[[Process], None],
) -> str:  # fmt: skip
    """Install what the code requires. Returns the environment."""
    from modelarts.local.places import installation
    from modelarts.local.places.installer_process import Progress

    return installation.install(code, python, wanted, own, Progress(logs, stopped, record))


def _interpreter(wanted: dict[str, Any]) -> Interpreter:
    if wanted["interpreter"] is not None:
        return Interpreter(**wanted["interpreter"])
    cache = os.path.join(wanted["environments"], "interpreters")
    try:
        return interpreters.ask(wanted["program"], wanted["variables"], cache)
    except (InterpreterError, OSError, ValueError) as error:
        raise StartFailure(f"{wanted['program']} cannot be started: {error}", CANNOT_START) from None


def _refer_to(worker: dict[str, Any], python: Interpreter, layers: list[str], of_packages: list[str]) -> None:
    environment = worker["environment"]
    folders = [os.path.join(worker["python"], "bin"), *of_packages, python.scripts, environment["PATH"]]
    environment["PATH"] = os.pathsep.join(folders)
    if not python.has_environments:
        environment["PIP_USER"] = "1"  # into PYTHONUSERBASE, which is a folder of the job
        environment["PYTHONPATH"] = os.pathsep.join((environment["PYTHONPATH"], *layers))
    if python.wrapper:
        first = {name: environment[name] for name in _FIRST}
        ours = {name: environment[name] for name in _OURS}
        worker["launcher"] = [python.wrapper, "-c", _CONTINUE, json.dumps([first, ours])]
