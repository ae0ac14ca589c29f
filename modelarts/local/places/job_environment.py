"""The environment that a job declares: created by conda or one of its kin, else packages on an interpreter alone.

Both are in the cache that `pip-requirements.txt` uses, by content. Standard library only: the supervisor uses it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
from collections.abc import Mapping
from typing import Any

from modelarts.local import files, interpreters
from modelarts.local.environments import Cancelled, EnvironmentCache, Record, now
from modelarts.local.interpreters import Interpreter, InterpreterError
from modelarts.local.places import installation, requirements
from modelarts.local.places.installer import network_variables
from modelarts.local.places.installer_process import Ended, Progress, run
from modelarts.local.places.start_failure import StartFailure

_ENVIRONMENT_FILE = "environment.yml"
_ACTIVATED = os.path.join("bin", "python-activated")
_COMMANDS = {
    "micromamba": ("create", "--yes"),
    "mamba": ("env", "create"),
    "conda": ("env", "create"),
}
# No questions, and neither banners nor progress bars in the log.
_SETTINGS = {"CONDA_ALWAYS_YES": "true", "MAMBA_ALWAYS_YES": "true", "MAMBA_NO_BANNER": "1",
             "MAMBA_NO_PROGRESS_BARS": "true"}  # fmt: skip
# `PackagesNotFoundError: …` and the like of conda, `error    libmamba …` of mamba, `ERROR: …` of pip.
_FAILURE = re.compile(r"^(?:error\b|\w*(?:Error|NotFound)\b:?).*(?:\n\s+\S.*)?", re.IGNORECASE | re.MULTILINE)
# Of the environment that is active where the service was started, not of the one that is created.
_ACTIVE = ("CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_PROMPT_MODIFIER", "CONDA_SHLVL", "CONDA_PYTHON_EXE",
           "CONDA_ENV_PATH")  # fmt: skip
_ACTIVATE = """\
#!/bin/bash
for script in {scripts}/*.sh; do . "$script"; done
exec {python} "$@"
"""


def virtual(
    declared: Mapping[str, Any], python: Interpreter, wanted: dict[str, Any], own: str, progress: Progress
) -> tuple[Interpreter, list[str]]:
    """Install packages on an interpreter without its own packages.

    Args:
        declared: the environment.
        python: the interpreter.
        wanted: the member `python` of the spec.
        own: a folder of the job.

    Returns:
        The interpreter without its packages, and the environments on top of it.

    Raises:
        StartFailure: a package cannot be installed.
    """
    alone = python._replace(sites=[])
    named = [package for package in declared["conda_packages"] if package.strip().lower() in ("setuptools", "wheel")]
    lines = [*declared["pip_packages"], *named]
    if not lines:
        return alone, []
    folder = os.path.join(own, "environment")
    os.makedirs(folder, exist_ok=True)
    files.write(os.path.join(folder, requirements.NAME), "".join(f"{line.strip()}\n" for line in lines).encode())
    label = f"environment {declared['name']!r}"
    installed = installation.install(folder, alone, wanted, os.path.join(folder, "packages"), progress, label)
    return alone, [*filter(None, [installed])]


def conda(declared: Mapping[str, Any], wanted: dict[str, Any], own: str, progress: Progress) -> tuple[Interpreter, str]:
    """Make sure that conda or one of its kin has created the environment.

    Args:
        declared: the environment, with `kind` and `tool`.
        wanted: the member `python` of the spec.
        own: a folder of the job.

    Returns:
        The interpreter of the environment, and its folder.

    Raises:
        StartFailure: it cannot be created.
    """
    label = f"environment {declared['name']!r}"
    try:
        cache, key = EnvironmentCache(wanted["packages"]), _key(declared)
        was_complete = cache.is_complete(key)
        creation = _Creation(declared, wanted, os.path.join(own, "environment"), label, progress)
        cache.obtain(key, creation.wait, creation.create)  # in use until this process ends
        if was_complete:
            progress.note(f"{label}: {key} has its packages")
        folder = cache.folder(key)
        variables = {**wanted["variables"], "PYTHONNOUSERSITE": "1"}
        program = os.path.join(folder, "bin", "python")
        python = interpreters.ask(program, variables, os.path.join(wanted["environments"], "interpreters"))
        activated = os.path.join(folder, _ACTIVATED)
        return (python._replace(wrapper=activated) if os.path.exists(activated) else python), folder
    except Cancelled:
        raise StartFailure("stopped before it started", 128 + signal.SIGTERM) from None
    except (OSError, ValueError, InterpreterError) as error:
        raise StartFailure(f"{label} cannot be created: {error}") from None


class _Creation:
    """Creates an environment in a folder."""

    def __init__(
        self, declared: Mapping[str, Any], wanted: dict[str, Any], scratch: str, label: str, progress: Progress
    ) -> None:
        self.declared = declared
        self.scratch = scratch
        self.variables = {**wanted["variables"], **network_variables(os.environ, ("CONDA", "MAMBA_")), **_SETTINGS}
        for name in _ACTIVE:
            self.variables.pop(name, None)
        self.label = label
        self.progress = progress
        self.waited = False

    def wait(self, seconds: float) -> bool:
        if not self.waited:
            self.progress.note(f"{self.label}: waiting for another job that creates the same one")
        self.waited = True
        return self.progress.stopped.wait(seconds)

    def create(self, folder: str) -> Record:
        kind, tool = self.declared["kind"], self.declared["tool"]
        self.progress.note(f"{self.label} is created with {tool}")
        os.makedirs(self.scratch, 0o700, exist_ok=True)  # URLs of channels and packages may have tokens
        try:
            file = os.path.join(self.scratch, _ENVIRONMENT_FILE)
            files.write(file, json.dumps(_content(self.declared), indent=2).encode())  # JSON is YAML, too
            command = [tool, *_COMMANDS[kind], "--prefix", folder, "--file", file]
            ended = run(command, self.variables, self.scratch, self.progress)
        finally:
            shutil.rmtree(self.scratch, ignore_errors=True)
        if ended.code:
            reason = f"{self.label} cannot be created: {kind}: {_reason(ended)}{_hint(self.declared)}"
            raise StartFailure(reason, ended.code)
        if not os.access(os.path.join(folder, "bin", "python"), os.X_OK):
            raise StartFailure(f"{self.label} has no Python: add one to conda_packages, such as python=3.9")
        _write_activation(folder)
        return Record(_listed(self.declared), os.path.join(folder, "bin", "python"), kind, now())


def _reason(ended: Ended) -> str:
    """What the program reported, with the line behind it: conda and mamba name the packages there."""
    found = _FAILURE.search(ended.output)
    return " ".join(found[0].split()) if found else ended.reason


def _hint(declared: Mapping[str, Any]) -> str:
    if all(_name_of(package) in ("python", "pip") for package in declared["conda_packages"]):
        return "; with the setting local_conda=none it is a virtual environment, without conda"
    return "" if declared["channels"] else "; channels=[…] names where packages of conda come from"


def _content(declared: Mapping[str, Any]) -> dict[str, Any]:
    """The environment file. What runs is Python, and conda wants pip named where packages of pip are."""
    packages = [package.strip() for package in declared["conda_packages"]]
    needed = ["python", *(["pip"] if declared["pip_packages"] else [])]
    packages += [name for name in needed if name not in map(_name_of, packages)]
    pip = [{"pip": [package.strip() for package in declared["pip_packages"]]}] if declared["pip_packages"] else []
    channels = {"channels": declared["channels"]} if declared["channels"] else {}
    return {**channels, "dependencies": [*packages, *pip]}


def _name_of(package: str) -> str:
    """The name in a requirement of conda: `python` in `conda-forge::python >=3.8`."""
    rest = package.rpartition("::")[2]
    end = next((place for place, letter in enumerate(rest) if letter in "=<>!~[ "), len(rest))
    return rest[:end].lower()


def _listed(declared: Mapping[str, Any]) -> str:
    """What `modelarts local environments` shows of it."""
    return "".join(f"{package.strip()}\n" for package in (*declared["conda_packages"], *declared["pip_packages"]))


def _key(declared: Mapping[str, Any]) -> str:
    """What an environment depends on: its packages, the tool, and the local packages that it names."""
    stamps = [(path, os.stat(path).st_mtime_ns) for path in declared["pip_packages"] if os.path.isabs(path)]
    text = json.dumps([_content(declared), declared["tool"], stamps])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _write_activation(folder: str) -> None:
    """Write a script that starts the interpreter with what packages set when their environment is activated."""
    scripts = os.path.join(folder, "etc", "conda", "activate.d")
    if os.path.isdir(scripts) and any(name.endswith(".sh") for name in os.listdir(scripts)):
        from modelarts.local.places.thin_venv import quoted

        program = os.path.join(folder, _ACTIVATED)
        python = quoted(os.path.join(folder, "bin", "python"))
        files.write(program, _ACTIVATE.format(scripts=quoted(scripts), python=python).encode())
        os.chmod(program, 0o755)
