"""Installs the requirements of a job: into an environment that later jobs with the same requirements use, too.

Standard library only: the supervisor uses this module.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator
from threading import Event
from typing import Any, Callable, NamedTuple

from modelarts.local.environments import Cancelled, EnvironmentCache, Record, now
from modelarts.local.interpreters import Interpreter
from modelarts.local.places import programs, requirements, thin_venv
from modelarts.local.places.installer import Installer, installers
from modelarts.local.places.requirements import Requirements
from modelarts.local.places.start_failure import StartFailure
from modelarts.local.places.worker_log import Log
from modelarts.local.processes import Process

_SEED = "modelarts"  # the installer of packages that are described in an environment, but are those of the interpreter
_PR_SET_PDEATHSIG = 1
_NO_PIP = "No module named pip"
_INTERVAL = 0.2  # seconds between looks for a stop


class Progress(NamedTuple):
    """What an installation needs of the supervisor."""

    logs: list[Log]
    stopped: Event
    record: Callable[[Process], None]  # notes a process that must end if the supervisor is killed

    def note(self, text: str) -> None:
        for log in self.logs:
            log.note(text)


def install(code: str, python: Interpreter, wanted: dict[str, Any], own: str, progress: Progress) -> str:
    """Make sure that the requirements of a code folder are installed.

    Args:
        code: the code folder.
        python: the interpreter below.
        wanted: the member `python` of the spec.
        own: a folder of the job, for packages that are used by no other one.

    Returns:
        The environment; empty if nothing is required.

    Raises:
        StartFailure: they cannot be installed.
    """
    try:
        needed = requirements.read(code)
        if needed is None:
            return ""
        installation = _Installation(code, python, wanted, needed, progress)
        if needed.has_source:
            shutil.rmtree(own, ignore_errors=True)  # of an earlier attempt to start this version
            installation.install(own)
            return own
        cache = EnvironmentCache(wanted["packages"])
        key = _key(python, needed)
        was_complete = cache.is_complete(key)
        cache.obtain(key, installation.wait, installation.install)  # in use until this process ends
        if was_complete:
            progress.note(f"{requirements.NAME}: environment {key} has its packages")
        return cache.folder(key)
    except Cancelled:
        raise StartFailure("stopped before it started", 128 + signal.SIGTERM) from None
    except (OSError, ValueError) as error:
        raise StartFailure(f"{requirements.NAME} cannot be installed: {error}") from None


class _Installation:
    """Installs requirements into a folder."""

    def __init__(
        self, code: str, python: Interpreter, wanted: dict[str, Any], needed: Requirements, progress: Progress
    ) -> None:
        self.code = code
        self.python = python
        self.wanted = wanted
        self.needed = needed
        self.progress = progress
        self.waited = False

    def wait(self, seconds: float) -> bool:
        if not self.waited:
            self.progress.note(f"{requirements.NAME}: waiting for another job that installs the same packages")
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
            code, reason = self.run(installer)
            if code == 0:
                _finish(folder, self.python)
                return Record(self.needed.text, self.wanted["program"], installer.name, now())
            shutil.rmtree(folder)
        raise StartFailure(f"{requirements.NAME} cannot be installed: {reason}", code)

    def run(self, installer: Installer) -> tuple[int, str]:
        """Run an installer; its output is in the logs. Returns its exit code, and why it failed."""
        self.progress.note(f"{requirements.NAME} is installed with {installer.name}")
        process = subprocess.Popen(
            [*installer.command, requirements.NAME], cwd=self.code, env=installer.variables, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=_end_with_parent,
        )  # fmt: skip
        running = Process.of(process.pid)
        self.progress.record(running)
        tail = b""
        try:
            for data in self.output(process):
                tail = (tail + data)[-65536:]
                for log in self.progress.logs:
                    log.write(data)
        finally:
            running.signal_group(signal.SIGKILL)
            process.wait()
        return process.returncode, _reason(tail.decode("utf-8", "replace"), process.returncode)

    def output(self, process: subprocess.Popen[bytes]) -> Iterator[bytes]:
        """What it writes, until it has ended. Raises `Cancelled` if the job is stopped."""
        assert process.stdout is not None
        with process.stdout as pipe:
            while True:
                if self.progress.stopped.is_set():
                    raise Cancelled
                ended = process.poll() is not None
                if select.select([pipe], [], [], 0 if ended else _INTERVAL)[0]:
                    data = os.read(pipe.fileno(), 65536)
                    if not data:
                        return
                    yield data
                elif ended:  # a process that it left behind holds the pipe
                    return


def _key(python: Interpreter, needed: Requirements) -> str:
    """What an environment depends on: requirements, interpreter, and the packages that this one has."""
    folders = [python.executable, python.prefix, *python.sites]
    stamps = [(folder, os.stat(folder).st_mtime_ns if os.path.exists(folder) else 0) for folder in folders]
    text = json.dumps([needed.digest, python.version, stamps])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _reason(output: str, code: int) -> str:
    """The last error that an installer reported."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error") and not line.endswith("Exception:")]
    reason = (errors or lines or [f"exit code {code}"])[-1]
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
