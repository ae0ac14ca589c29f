"""Installs the requirements of a job: into an environment that later jobs with the same requirements use, too.

Standard library only: the supervisor uses this module.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
from typing import Any

from modelarts.local.environments import Cancelled, EnvironmentCache, Record, now
from modelarts.local.interpreters import Interpreter
from modelarts.local.places import programs, requirements, thin_venv
from modelarts.local.places.installer import Installer, installers
from modelarts.local.places.installer_process import Ended, Progress, run
from modelarts.local.places.requirements import Requirements
from modelarts.local.places.start_failure import StartFailure

_SEED = "modelarts"  # the installer of packages that are described in an environment, but are those of the interpreter
_NO_PIP = "No module named pip"


def install(
    code: str, python: Interpreter, wanted: dict[str, Any], own: str, progress: Progress, label: str = requirements.NAME
) -> str:
    """Make sure that the requirements of a code folder are installed.

    Args:
        code: the code folder, or another one with a `pip-requirements.txt`.
        python: the interpreter below.
        wanted: the member `python` of the spec.
        own: a folder of the job, for packages that are used by no other one.
        label: what messages call the requirements.

    Returns:
        The environment; empty if nothing is required.

    Raises:
        StartFailure: they cannot be installed.
    """
    try:
        needed = requirements.read(code)
        if needed is None:
            return ""
        installation = _Installation(code, python, wanted, needed, progress, label)
        if needed.has_source:
            shutil.rmtree(own, ignore_errors=True)  # of an earlier attempt to start this version
            installation.install(own)
            return own
        cache = EnvironmentCache(wanted["packages"])
        key = _key(python, needed)
        was_complete = cache.is_complete(key)
        cache.obtain(key, installation.wait, installation.install)  # in use until this process ends
        if was_complete:
            progress.note(f"{label}: environment {key} has its packages")
        return cache.folder(key)
    except Cancelled:
        raise StartFailure("stopped before it started", 128 + signal.SIGTERM) from None
    except (OSError, ValueError) as error:
        raise StartFailure(f"{label} cannot be installed: {error}") from None


class _Installation:
    """Installs requirements into a folder."""

    def __init__(
        self, code: str, python: Interpreter, wanted: dict[str, Any], needed: Requirements, progress: Progress,
        label: str,
    ) -> None:  # fmt: skip
        self.code = code
        self.python = python
        self.wanted = wanted
        self.needed = needed
        self.progress = progress
        self.label = label
        self.waited = False

    def wait(self, seconds: float) -> bool:
        if not self.waited:
            self.progress.note(f"{self.label}: waiting for another job that installs the same packages")
        self.waited = True
        return self.progress.stopped.wait(seconds)

    def install(self, folder: str) -> Record:
        """Install into a new environment, with the first installer that succeeds."""
        program = os.path.join(folder, "bin", "python")
        reason, code = "", 1
        has_environments = self.python.has_environments
        for installer in installers(program, self.wanted["variables"], os.environ, has_environments):
            thin_venv.create(folder, self.python)
            if installer.name == "uv":
                _describe_packages(self.python, thin_venv.packages_of(folder, self.python))
            ended = self.run(installer)
            if ended.code == 0:
                _finish(folder, self.python)
                return Record(self.needed.text, self.wanted["program"], installer.name, now())
            code, reason = ended.code, _reason(ended)
            shutil.rmtree(folder)
        raise StartFailure(f"{self.label} cannot be installed: {reason}", code)

    def run(self, installer: Installer) -> Ended:
        self.progress.note(f"{self.label} is installed with {installer.name}")
        return run([*installer.command, requirements.NAME], installer.variables, self.code, self.progress)


def _key(python: Interpreter, needed: Requirements) -> str:
    """What an environment depends on: requirements, interpreter, and the packages that this one has."""
    folders = [python.executable, python.prefix, *python.sites]
    stamps = [(folder, os.stat(folder).st_mtime_ns if os.path.exists(folder) else 0) for folder in folders]
    text = json.dumps([needed.digest, python.version, stamps])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _reason(ended: Ended) -> str:
    reason = ended.reason
    return f"{reason}; install it, or put uv on the PATH of the service" if reason.endswith(_NO_PIP) else reason


def _describe_packages(python: Interpreter, folder: str) -> None:
    """Let uv know which packages the interpreter has: it looks only into the environment itself."""
    for site in python.sites:
        for name in os.listdir(site) if os.access(site, os.R_OK | os.X_OK) else ():
            metadata = _metadata(os.path.join(site, name))
            described = re.sub(r"(-py[\d.]+)?\.(egg|dist)-info$", ".dist-info", name)
            target = os.path.join(folder, described)
            if metadata and not os.path.exists(target):
                os.mkdir(target)
                shutil.copyfile(metadata, os.path.join(target, "METADATA"))
                for file, text in (("INSTALLER", _SEED), ("RECORD", f"{described}/METADATA,,\n")):
                    with open(os.path.join(target, file), "w", encoding="utf-8") as opened:
                        opened.write(text)


def _metadata(path: str) -> str:
    """The file that describes an installed package; empty if there is none."""
    if path.endswith((".dist-info", ".egg-info")):
        candidates = (os.path.join(path, "METADATA"), os.path.join(path, "PKG-INFO"), path)
        return next(filter(os.path.isfile, candidates), "")
    return ""


def _finish(folder: str, python: Interpreter) -> None:
    """Make an environment a layer for jobs: without the packages and the interpreter that they have anyway."""
    packages, scripts = thin_venv.packages_of(folder, python), os.path.join(folder, "bin")
    programs.change_in_place(scripts)
    for name in os.listdir(packages):
        seed = os.path.join(packages, name, "INSTALLER")
        if name.endswith(".dist-info") and _content(seed) == _SEED:
            shutil.rmtree(os.path.join(packages, name))
    own = f"exec {thin_venv.quoted(os.path.join(scripts, 'python'))} -m pip "
    for name in os.listdir(scripts):
        path = os.path.join(scripts, name)
        is_own_pip = name.startswith("pip") and (os.path.islink(path) or own in _content(path))
        if name.startswith("python") or is_own_pip:
            os.unlink(path)
    if python.has_environments:
        os.unlink(os.path.join(packages, thin_venv.PTH_NAME))


def _content(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(4096)
    except OSError:
        return ""
