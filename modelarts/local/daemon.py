"""Start, find and stop the service of this machine."""

from __future__ import annotations

import fcntl
import importlib.util
import logging
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
NEEDED_FOR_IAM = ("cheroot", "cryptography")
STOP_PATIENCE = 10.0

logger = logging.getLogger("modelarts")

_reported: set[int] = set()  # pids of services of another Python environment that were warned about


@attrs.frozen
class CloudOptions:
    """How a service is to be started that also answers as the cloud does (`--auth iam`)."""

    region: str = ""  # the account's own, or cn-north-4 for a new one
    port: int = 0


@attrs.frozen
class CloudAddress:
    """Where a running service answers as the cloud does, and what it takes to be let in."""

    url: str
    ca_bundle: str
    account: str
    region_name: str
    project_id: str


@attrs.frozen
class Address:
    """Where a running service answers, and the token it wants."""

    url: str
    token: str = attrs.field(repr=False)
    project_id: str
    pid: int
    iam: CloudAddress | None = None
    environment: str = ""  # `sys.prefix` of its interpreter


def find(home: Path) -> Address | None:
    """The running service of a home, or nothing."""
    paths = LocalHome.of(home)
    stored = read_json(paths.address) if is_held(paths.running) else None
    if not stored:
        return None
    iam = CloudAddress(**stored["iam"]) if "iam" in stored else None
    return Address(stored["url"], stored["token"], stored["project_id"], stored["pid"], iam,
                   stored.get("environment", ""))  # fmt: skip


def ensure(home: Path, iam: CloudOptions | None = None) -> Address:
    """The running service of a home; started when there is none. Raises `ServiceError`.

    Args:
        home: the folder of all its state.
        iam: it must also answer as the cloud does, like this.
    """
    found = find(home)
    if found is None:
        paths = LocalHome.of(home)
        with _sole_starter(paths):
            found = find(home) or _start(home, paths, iam)
    else:
        _report_environment(found)
    if iam is not None:
        _check_door(found, iam)
    return found


def _report_environment(found: Address) -> None:
    """Warn once when jobs will not see the packages of this Python environment, because the service has another one."""
    inside_a_job = "DLS_JOB_ID" in os.environ  # an interpreter of `local_python` is another one on purpose
    if found.environment in ("", sys.prefix) or found.pid in _reported or inside_a_job:
        return
    _reported.add(found.pid)
    logger.warning(
        "the local service (pid %d) was started from the Python environment %s, and jobs run with its packages, not "
        "with those of %s. To run them with yours, stop it with `modelarts local stop`: it starts again by itself",
        found.pid, found.environment, sys.prefix,
    )  # fmt: skip


def _check_door(found: Address, wanted: CloudOptions) -> None:
    """Refuse a running service that was started otherwise than it is wanted."""
    if found.iam is None:
        why = "without --auth iam"
    elif wanted.region not in ("", found.iam.region_name):
        why = f"for region {found.iam.region_name}"
    elif wanted.port and not found.iam.url.endswith(f":{wanted.port}"):
        why = f"at {found.iam.url}"
    else:
        return
    raise ServiceError(f"the local service (pid {found.pid}) runs {why}: end it first with `modelarts local stop`")


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


def _start(home: Path, paths: LocalHome, iam: CloudOptions | None) -> Address:
    needed = NEEDED + NEEDED_FOR_IAM if iam else NEEDED
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise ServiceError(
            f"the local service needs packages that are not installed ({', '.join(missing)}): "
            f"run `pip install 'modelarts[{'iam' if iam else 'local'}]'`"
        )
    options = [iam.region, str(iam.port)] if iam else []
    hear, tell = os.pipe()
    try:
        with open(paths.service_log, "ab") as log:  # noqa: PTH123
            service = subprocess.Popen(
                [sys.executable, "-m", "modelarts.local.server", str(home), str(tell), *options],
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

