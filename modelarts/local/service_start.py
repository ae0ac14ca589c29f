"""Starts the process of the service, and waits until it responds or says why it does not start."""

from __future__ import annotations

import importlib.util
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from modelarts.errors import ServiceError
from modelarts.local.paths import LocalHome
from modelarts.local.processes import Process
from modelarts.local.service_address import Address, CloudOptions, find

NEEDED = ("psutil", "waitress", "werkzeug")
NEEDED_FOR_IAM = ("cheroot", "cryptography")
PATIENCE = 60.0  # seconds in which a service says that it responds, or why it does not start
ATTEMPTS = 3  # to start a service that is killed while it starts


class Killed(ServiceError):
    """It was killed while it was starting."""


def start(home: Path, paths: LocalHome, iam: CloudOptions | None, environment: Mapping[str, str]) -> Address:
    """Start a service.

    Args:
        home: folder of its state.
        paths: its files.
        iam: options of `--auth iam`, if it is to behave as the cloud does.
        environment: variables in place of those of this process.

    Raises:
        ServiceError: it does not start; the message says why.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(Killed):
            return _start_once(home, paths, iam, environment)
    return _start_once(home, paths, iam, environment)


def _start_once(home: Path, paths: LocalHome, iam: CloudOptions | None, environment: Mapping[str, str]) -> Address:
    _check_packages(iam)
    options = [iam.region, str(iam.port)] if iam else []
    read_fd, write_fd = os.pipe()
    try:
        service = spawn([str(home), str(write_fd), *options], write_fd, paths, {**os.environ, **environment})
    except (OSError, ValueError) as error:  # `ValueError`: a variable that no process can have
        os.close(read_fd)
        raise ServiceError(f"the local service cannot be started: {error}") from None
    finally:
        os.close(write_fd)
    message = _message(read_fd)
    found = find(home) if message == "ready" else None
    if found is not None:
        service.returncode = 0  # it outlives this process: no warning when the handle is dropped
        return found
    if message is None:
        Process.of(service.pid).signal(signal.SIGKILL)
        raise ServiceError(f"the local service does not respond after {PATIENCE:.0f} s; see {paths.service_log}")
    if (service.wait() or 0) < 0 or message == "ready":
        raise Killed("the local service did not start: it was killed")
    raise ServiceError(f"the local service did not start: {message or _last_log_line(paths.service_log)}")


def _check_packages(iam: CloudOptions | None) -> None:
    needed = NEEDED + NEEDED_FOR_IAM if iam else NEEDED
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise ServiceError(
            f"the local service needs packages that are not installed ({', '.join(missing)}): "
            f"run `pip install 'modelarts[{'iam' if iam else 'local'}]'`"
        )


def _message(read_fd: int) -> str | None:
    """What a service says that starts, until it closes its end: `ready`, or why it failed; `None` if it takes long."""
    deadline, message = time.monotonic() + PATIENCE, b""
    poll = select.poll()
    poll.register(read_fd, select.POLLIN)
    with os.fdopen(read_fd, "rb", buffering=0) as pipe:
        while poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            if not (part := pipe.read(65536)):
                return message.decode("utf-8", "replace")
            message += part
    return None


def spawn(
    arguments: list[str], inherited_fd: int, paths: LocalHome, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start `modelarts.local.server` as a process of its own session, which writes to the service's log."""
    with open(paths.service_log, "ab") as log:  # noqa: PTH123
        return subprocess.Popen(
            [sys.executable, "-m", "modelarts.local.server", *arguments], stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, start_new_session=True, pass_fds=(inherited_fd,), cwd=paths.root, env=environment,
        )  # fmt: skip


def _last_log_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"{lines[-1] if lines else 'its log is empty'} (see {log})"
