"""Start, find and stop the service of this machine."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from modelarts.errors import ServiceError
from modelarts.local.locks import is_held
from modelarts.local.paths import LocalHome, read_json

NEEDED = ("flask", "psutil", "waitress")
STOP_PATIENCE = 10.0


@attrs.frozen
class Address:
    """Where a running service answers, and the token it wants."""

    url: str
    token: str = attrs.field(repr=False)
    project_id: str
    pid: int


def find(home: Path) -> Address | None:
    """The running service of a home, or nothing."""
    paths = LocalHome.of(home)
    stored = read_json(paths.address) if is_held(paths.running) else None
    return stored and Address(stored["url"], stored["token"], stored["project_id"], stored["pid"])


def ensure(home: Path) -> Address:
    """The running service of a home; started when there is none. Raises `ServiceError`."""
    found = find(home)
    if found is not None:
        return found
    paths = LocalHome.of(home)
    with _sole_starter(paths):
        return find(home) or _start(home, paths)


def stop(home: Path) -> bool:
    """End the service; jobs that run go on. Whether there was one. Raises `ServiceError`."""
    paths, found = LocalHome.of(home), find(home)
    if found is None:
        return False
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_PATIENCE
    while is_held(paths.running):
        if time.monotonic() > deadline:
            raise ServiceError(f"the local service (pid {found.pid}) does not end; its log is {paths.service_log}")
        time.sleep(0.02)
    return True


@contextmanager
def _sole_starter(paths: LocalHome) -> Iterator[None]:
    """Let one process at a time start the service; the others then find it."""
    try:
        paths.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(paths.starting, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ServiceError(
            f"the local service cannot keep its state in {paths.root}: {error.strerror}. "
            "Give another folder with MODELARTS_HOME or Session.local(home=…)."
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _start(home: Path, paths: LocalHome) -> Address:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ServiceError(
            f"the local service needs packages that are not installed ({', '.join(missing)}): "
            "run `pip install 'modelarts[local]'`"
        )
    hear, tell = os.pipe()
    try:
        with open(paths.service_log, "ab") as log:  # noqa: PTH123
            service = subprocess.Popen(
                [sys.executable, "-m", "modelarts.local.server", str(home), str(tell)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, pass_fds=(tell,),
                cwd=paths.root,
            )  # fmt: skip
    except OSError as error:
        os.close(hear)
        raise ServiceError(f"the local service cannot be started: {error}") from None
    finally:
        os.close(tell)
    with os.fdopen(hear, "rb") as answer:
        said = answer.read().decode()  # ends when the service closes its end, ready or dead
    found = find(home) if said == "ready" else None
    if found is None:
        service.wait()
        raise ServiceError(f"the local service did not start: {said or _last_words(paths.service_log)}")
    service.returncode = 0  # it lives on its own: do not warn when this handle goes
    return found


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"{lines[-1] if lines else 'it wrote nothing'} (see {log})"

