"""Container engines of this machine, by their command lines: docker, podman and apptainer.

Standard library only: the supervisor uses this module.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any, Callable, NamedTuple

from modelarts.local import files
from modelarts.local.processes import Process

_PROBES = {
    "docker": ("version", "--format={{.Server.Version}}"),  # fails without a daemon
    "podman": ("info", "--format={{.Host.OS}}"),
    "apptainer": ("version",),
}
NAMES = tuple(_PROBES)
_PATIENCE = 5.0  # seconds for an answer; one that takes longer is none
_REMOVAL = 10.0  # seconds for the removal of a container
_ATTEMPTS, _PAUSE = 10, 0.3
_REMEMBERED = 60.0  # seconds for which the answer counts
_INTERVAL = 0.05
_SHARED_MEMORY = "8g"  # data loaders use it; docker's default are 64 MB
# Variables that these programs read themselves: they go to containers by value, all others by name.
_OWN = ("DOCKER_", "CONTAINER", "PODMAN_", "REGISTRY_", "XDG_", "SSH_", "LD_", "HTTP", "http", "NO_PROXY", "no_proxy")
_OWN_NAMES = ("PATH", "HOME", "USER", "TMPDIR")


class Engine(NamedTuple):
    """A program that runs containers."""

    name: str
    program: str

    def run(self, container: Container) -> tuple[list[str], dict[str, str]]:
        """The command that runs a container until it ends, and the environment of this command."""
        return _apptainer(self, container) if self.name == "apptainer" else _docker(self, container)

    def has(self, image: str, stopped: Callable[[], bool]) -> bool:
        """Whether an image is on this machine; apptainer does not say."""
        return self.name != "apptainer" and not self._call(["image", "inspect", image], stopped)

    def pull(self, image: str, stopped: Callable[[], bool]) -> str:
        """Pull an image. Returns why that is impossible, or an empty text."""
        arguments = ["exec", f"docker://{image}", "true"] if self.name == "apptainer" else ["pull", "--quiet", image]
        return self._call(arguments, stopped)

    def remove(self, name: str) -> None:
        """End and remove a container, if it is still there; those of apptainer are processes of this machine."""
        if self.name == "apptainer":
            return
        at_once = ["--time=0"] if self.name == "podman" else []
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            for _ in range(_ATTEMPTS):  # podman may just be recording its end
                if not _quiet([self.program, "rm", "--force", *at_once, name], timeout=_REMOVAL):
                    return
                if _quiet([self.program, "container", "inspect", name], timeout=_REMOVAL):
                    return
                time.sleep(_PAUSE)

    def _call(self, arguments: Sequence[str], stopped: Callable[[], bool]) -> str:
        """Run a command. Returns its last words if it failed, or an empty text."""
        with tempfile.TemporaryFile() as output:
            try:
                process = subprocess.Popen(
                    [self.program, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
                )
            except OSError as error:
                return str(error)
            with process:
                started = Process.of(process.pid)
                while process.poll() is None:
                    if stopped():
                        started.signal(signal.SIGKILL)
                    time.sleep(_INTERVAL)
            output.seek(0)
            lines = output.read().decode("utf-8", "replace").split("\n")
        if process.returncode == 0:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), f"exit code {process.returncode}")


class Container(NamedTuple):
    """What runs in a container, as the user of this process."""

    name: str
    image: str
    command: str  # for a shell
    directory: str
    mounts: Sequence[tuple[str, str, bool]]  # path here, path there, whether it is read-only
    variables: Mapping[str, str]


def find(memory: str) -> Engine | None:
    """The first engine that answers, or `None`.

    Args:
        memory: the file that keeps the answer for a minute.
    """
    key = [os.environ.get(name, "") for name in ("PATH", "DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST")]
    with contextlib.suppress(OSError, ValueError, RecursionError, KeyError, TypeError):
        known: dict[str, Any] = json.loads(files.read(memory, files.JSON_BYTES))
        if known["key"] == key and 0 <= time.time() - known["time"] < _REMEMBERED:
            return Engine(*known["engine"]) if known["engine"] else None
    found = answering()
    with contextlib.suppress(OSError):
        files.write(memory, json.dumps({"key": key, "time": time.time(), "engine": found}).encode())
    return found


def answering() -> Engine | None:
    """The first engine that answers now, or `None`."""
    return next(filter(_answers, map(_installed, _PROBES)), None)


def _installed(name: str) -> Engine | None:
    program = shutil.which(name)
    return Engine(name, program) if program else None


def _answers(engine: Engine | None) -> bool:
    if engine is None:
        return False
    try:
        return _quiet([engine.program, *_PROBES[engine.name]], timeout=_PATIENCE) == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _quiet(command: Sequence[str], timeout: float) -> int:
    none = subprocess.DEVNULL
    return subprocess.run(command, stdin=none, stdout=none, stderr=none, timeout=timeout, check=False).returncode


def _docker(engine: Engine, container: Container) -> tuple[list[str], dict[str, str]]:
    user = f"{os.getuid()}:{os.getgid()}"
    options = [
        "--rm", f"--name={container.name}", "--network=host", f"--shm-size={_SHARED_MEMORY}", f"--user={user}",
        f"--workdir={container.directory}", "--entrypoint=",
    ]  # fmt: skip
    if engine.name == "docker":
        options.append("--init")  # passes signals on; not every podman has one
    else:
        options.append("--security-opt=label=disable")
        options += ["--userns=keep-id"] if os.getuid() else []
    options += [f"--mount={_mount(*mount)}" for mount in container.mounts]
    by_name = {name: value for name, value in container.variables.items() if not _is_own(name)}
    options += [f"--env={name}" if name in by_name else f"--env={name}={value}"
                for name, value in container.variables.items()]  # fmt: skip
    argv = [engine.program, "run", *options, container.image, "/bin/sh", "-c", container.command]
    return argv, {**os.environ, **by_name}


def _mount(here: str, there: str, read_only: bool) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(
        ["type=bind", f"source={here}", f"target={there}", *(["readonly"] if read_only else [])]
    )
    return text.getvalue()


def _is_own(name: str) -> bool:
    return name.startswith(_OWN) or name in _OWN_NAMES


def _apptainer(engine: Engine, container: Container) -> tuple[list[str], dict[str, str]]:
    binds = [f"--bind={here}:{there}{':ro' if read_only else ''}" for here, there, read_only in container.mounts]
    options = ["--cleanenv", "--no-home", "--writable-tmpfs", f"--pwd={container.directory}", *binds]
    argv = [engine.program, "exec", *options, f"docker://{container.image}", "/bin/sh", "-c", container.command]
    variables = {f"APPTAINERENV_{name}": value for name, value in container.variables.items() if name != "HOME"}
    return argv, {**os.environ, **variables}  # HOME is not permitted there
