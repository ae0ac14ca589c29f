"""Start, find and stop the service of this machine."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs

from modelarts.errors import ServiceError
from modelarts.local import locks, service_start
from modelarts.local.paths import LocalHome, read_json, write_private
from modelarts.local.processes import Process
from modelarts.local.service_address import Address as Address
from modelarts.local.service_address import CloudOptions as CloudOptions
from modelarts.local.service_address import find as find
from modelarts.local.service_address import record

STOP_PATIENCE = 10.0
JOB_SESSION = "MODELARTS_JOB_SESSION"  # variable of jobs: the file with the address of their service
LOCAL_SETTINGS = "MODELARTS_LOCAL_"  # beginning of the variables that only the service reads


def ensure(home: Path, iam: CloudOptions | None = None) -> Address:
    """The running service of a home, started if there is none.

    Inside a job it is the service that runs the job, which the job does not start.

    A service that was killed, or stopped itself when idle, starts with the options that it had. So does a service whose
    installation was replaced or removed since it started: its jobs continue.

    Args:
        home: folder of all its state.
        iam: options of the address at which it must also behave as the cloud does; `None`: no such address is needed.

    Raises:
        ServiceError: it cannot be started, or runs with other options.
    """
    if os.environ.get(JOB_SESSION) and (address := _of_this_job(home)):
        return address
    found = find(home)
    if found is None or _is_replaced(found):
        paths = LocalHome.of(home)
        with _start_lock(paths):
            found = find(home)
            if found is not None and _is_replaced(found):
                _end(found, paths)
                found = None
            found = found or _start(home, paths, iam)
    else:
        if found.installation:
            found.installation.report_if_other(found.pid)
    if iam is not None:
        _check_options(found, iam)
    return found


def _of_this_job(home: Path) -> Address | None:
    """The service of the job that this process belongs to, if it is that of this home."""
    stored = read_json(Path(os.environ[JOB_SESSION]))
    if not isinstance(stored, dict) or not isinstance(stored.get("home"), str):
        return None
    if Path(stored["home"]).resolve() != home.resolve():
        return None
    return record(Address, stored)


def _is_replaced(found: Address) -> bool:
    return found.installation is not None and found.installation.is_replaced()


def _check_options(found: Address, wanted: CloudOptions) -> None:
    """Refuse a running service that was started with other options."""
    if found.iam is None:
        how = "without --auth iam"
    elif wanted.region not in ("", found.iam.region_name):
        how = f"for region {found.iam.region_name}"
    elif wanted.port and not found.iam.url.endswith(f":{wanted.port}"):
        how = f"at {found.iam.url}"
    else:
        return
    raise ServiceError(f"the local service (pid {found.pid}) runs {how}: stop it first with `modelarts local stop`")


def stop(home: Path) -> bool:
    """Stop the service; running jobs continue. Returns whether there was one. Raises `ServiceError`."""
    found = find(home)
    forget_options(home)
    if found is None:
        return False
    _end(found, LocalHome.of(home))
    return True


def _end(found: Address, paths: LocalHome) -> None:
    """Stop a running service and wait for its end."""
    service = Process(found.pid, found.started)
    service.signal(signal.SIGTERM)
    service.signal(signal.SIGCONT)  # one that is stopped (SIGSTOP) would not act on it
    deadline = time.monotonic() + STOP_PATIENCE
    while service.is_running():
        if time.monotonic() > deadline:
            raise ServiceError(f"the local service (pid {found.pid}) does not stop; its log is {paths.service_log}")
        time.sleep(0.02)


@contextmanager
def paused(home: Path) -> Iterator[None]:
    """No service runs inside the `with` statement. One that ran before starts again with its options afterwards."""
    paths = LocalHome.of(home)
    with _start_lock(paths):
        found = find(home)
        if found is not None:
            _end(found, paths)
        try:
            yield
        finally:
            if found is not None:
                _start(home, paths, None)


def forget_options(home: Path) -> None:
    """Let the next start of the service be a new one, without the options of the last."""
    with suppress(OSError, ValueError):
        LocalHome.of(home).start_options.unlink()


@contextmanager
def _start_lock(paths: LocalHome) -> Iterator[None]:
    """Let one process at a time start the service; the others then find it."""
    with ExitStack() as stack:
        try:
            paths.root.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locks.locked(paths.starting))
        except (OSError, ValueError) as error:  # `ValueError`: no folder can have such a path
            why = error.strerror if isinstance(error, OSError) else error
            raise ServiceError(
                f"the local service cannot keep its state in {paths.root}: {why}. "
                "Give another folder with MODELARTS_HOME or Session.local(home=…)."
            ) from None
        yield


def _start(home: Path, paths: LocalHome, iam: CloudOptions | None) -> Address:
    """Start the service; what is not given is as it was at its last start."""
    stored = read_json(paths.start_options)
    stored = stored if isinstance(stored, dict) else {}
    given, now_set = iam, _local_settings(os.environ)
    iam = given or record(CloudOptions, stored.get("iam"))
    environment = {**_local_settings(stored.get("environment")), **now_set}
    try:
        found = service_start.start(home, paths, iam, environment)
    except ServiceError as error:
        if (iam, environment) == (given, now_set):
            raise
        raise ServiceError(
            f"{error}. These are the options of its last start: `modelarts local stop` discards them"
        ) from None
    options = {"iam": iam and attrs.asdict(iam), "environment": environment}
    try:
        write_private(paths.start_options, options)
    except OSError as error:
        raise ServiceError(
            f"the local service runs, but its options cannot be stored for its next start: {error.strerror} "
            f"({paths.start_options})"
        ) from None
    return found


def _local_settings(variables: Any) -> dict[str, str]:
    """The variables that only the service reads; none of anything but variables."""
    items = variables.items() if isinstance(variables, Mapping) else ()
    return {name: value for name, value in items if name.startswith(LOCAL_SETTINGS) and isinstance(value, str)}
