"""Start, find and stop the service of this machine."""

from __future__ import annotations

import importlib.util
import inspect
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Callable, TypeVar

import attrs
from attrs.validators import instance_of

from modelarts.errors import ServiceError
from modelarts.local import locks
from modelarts.local.installation import Installation
from modelarts.local.paths import LocalHome, read_json, write_private
from modelarts.local.processes import Process

NEEDED = ("psutil", "waitress", "werkzeug")
NEEDED_FOR_IAM = ("cheroot", "cryptography")
STOP_PATIENCE = 10.0
START_PATIENCE = 60.0  # seconds in which a service says that it responds, or why it does not start
STARTS = 3  # of a service that is killed while it starts
Kind = TypeVar("Kind")
JOB_SESSION = "MODELARTS_JOB_SESSION"  # variable of jobs: the file with the address of their service
LOCAL_SETTINGS = "MODELARTS_LOCAL_"  # beginning of the variables that only the service reads


_TEXT = instance_of(str)


@attrs.frozen
class CloudOptions:
    """Options of a service that also behaves as the cloud does (`--auth iam`)."""

    region: str = attrs.field(default="", validator=_TEXT)  # empty: that of the stored account, else cn-north-4
    port: int = attrs.field(default=0, validator=instance_of(int))  # 0: any free port


@attrs.frozen
class CloudAddress:
    """Address of a running service that behaves as the cloud does, and what clients need to log in to it."""

    url: str = attrs.field(validator=_TEXT)
    ca_bundle: str = attrs.field(validator=_TEXT)
    account: str = attrs.field(validator=_TEXT)
    region_name: str = attrs.field(validator=_TEXT)
    project_id: str = attrs.field(validator=_TEXT)


@attrs.frozen
class Address:
    """Address of a running service, and the token that it requires."""

    url: str = attrs.field(validator=_TEXT)
    token: str = attrs.field(repr=False, validator=_TEXT)
    project_id: str = attrs.field(validator=_TEXT)
    pid: int = attrs.field(validator=instance_of(int))
    iam: CloudAddress | None = None
    started: str = attrs.field(default="", validator=_TEXT)  # start time of the process, see `Process`
    installation: Installation | None = None


def _record(kind: Callable[..., Kind], stored: Any) -> Kind | None:
    """What a file holds as a value of a class; members that only another version knows are ignored.

    Returns:
        `None` if it is not the JSON object that the class stands for.
    """
    if not isinstance(stored, dict):
        return None
    members = {name: value for name, value in stored.items() if name in inspect.signature(kind).parameters}
    try:
        return kind(**members)
    except TypeError:
        return None


def find(home: Path) -> Address | None:
    """The running service of a home, or `None`; an address left behind by a service that was killed does not count."""
    paths = LocalHome.of(home)
    stored = read_json(paths.address) if locks.is_held(paths.running) else None
    address = _record(Address, stored)
    if address is None or not Process(address.pid, address.started).is_running():
        return None
    iam, installation = _record(CloudAddress, address.iam), _record(Installation, address.installation)
    return attrs.evolve(address, iam=iam, installation=installation)


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
    return _record(Address, stored)


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
    iam = given or _record(CloudOptions, stored.get("iam"))
    environment = {**_local_settings(stored.get("environment")), **now_set}
    try:
        found = _start_with(home, paths, iam, environment)
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


def _start_with(
    home: Path, paths: LocalHome, iam: CloudOptions | None, environment: Mapping[str, str]
) -> Address:
    for _ in range(STARTS - 1):
        with suppress(_Killed):
            return _start_once(home, paths, iam, environment)
    return _start_once(home, paths, iam, environment)


class _Killed(ServiceError):
    """It was killed while it was starting."""


def _start_once(
    home: Path, paths: LocalHome, iam: CloudOptions | None, environment: Mapping[str, str]
) -> Address:
    needed = NEEDED + NEEDED_FOR_IAM if iam else NEEDED
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise ServiceError(
            f"the local service needs packages that are not installed ({', '.join(missing)}): "
            f"run `pip install 'modelarts[{'iam' if iam else 'local'}]'`"
        )
    options = [iam.region, str(iam.port)] if iam else []
    read_fd, write_fd = os.pipe()
    try:
        service = _spawn([str(home), str(write_fd), *options], write_fd, paths, {**os.environ, **environment})
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
        raise ServiceError(f"the local service does not respond after {START_PATIENCE:.0f} s; see {paths.service_log}")
    if (service.wait() or 0) < 0 or message == "ready":
        raise _Killed("the local service did not start: it was killed")
    raise ServiceError(f"the local service did not start: {message or _last_log_line(paths.service_log)}")


def _message(read_fd: int) -> str | None:
    """What a service says that starts, until it closes its end: `ready`, or why it failed; `None` if it takes long."""
    deadline, message = time.monotonic() + START_PATIENCE, b""
    poll = select.poll()
    poll.register(read_fd, select.POLLIN)
    with os.fdopen(read_fd, "rb", buffering=0) as pipe:
        while poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            if not (part := pipe.read(65536)):
                return message.decode("utf-8", "replace")
            message += part
    return None


def _spawn(
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

