"""The service as a process: `python -m modelarts.local.server HOME READY [REGION PORT]`, started by the daemon.

With a region and a port it also behaves as the cloud does (`--auth iam`); an empty region is that of the account.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import sqlite3
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from modelarts import __version__
from modelarts._settings import keep, table
from modelarts.errors import ServiceError
from modelarts.local import catalog, home_watch, locks
from modelarts.local.api.app import Activity, create_app
from modelarts.local.api.app import body_limit as api_body_limit
from modelarts.local.api.handlers.context import Service
from modelarts.local.emulator import job_storage
from modelarts.local.emulator.obs.beside_api import buckets, limit_with_buckets, with_buckets
from modelarts.local.environment_plan import Planner
from modelarts.local.home_watch import Home, HomeWatch
from modelarts.local.http_server import BodyLimit, HttpServer
from modelarts.local.installation import Installation
from modelarts.local.paths import LocalHome, read_json, write_private
from modelarts.local.places.here import Here
from modelarts.local.processes import Process
from modelarts.local.runtime import job_session
from modelarts.local.runtime.environment import JobEnvironment
from modelarts.local.runtime.spec import JobSpecBuilder
from modelarts.local.scheduler import Scheduler
from modelarts.local.shortages import shortage
from modelarts.local.store import Store
from modelarts.local.tensorboard import TensorBoards
from modelarts.local.working_directories import Cleaner

PROJECT_ID = "local"
THREADS = 16
LONG_POLLS = 8  # how many of the threads may hold a reply back until there is something new
EXIT_PATIENCE = 10.0  # seconds in which a service before this one, which is exiting, gives its lock back

logger = logging.getLogger("modelarts.local")


class StartRefused(Exception):
    """Why the service does not start, as a sentence for the process that starts it."""


def serve(home: Path, ready: int, iam: tuple[str, int] | None = None) -> None:
    """Run until SIGTERM, or until idle for long.

    Args:
        home: folder of all state.
        ready: descriptor to which `ready` is written once the service responds, or why it does not start.
        iam: region and port of `--auth iam`.
    """
    try:
        server, service, activity, cleaner = _start(LocalHome.of(home), home, iam)
    except (StartRefused, OSError, sqlite3.Error) as error:
        _say(ready, _reason(error, LocalHome.of(home)))
        raise SystemExit(1) from None
    _say(ready, "ready")
    os.close(ready)
    threading.Thread(
        target=_exit_when_idle, args=(activity, service, table.value_of("local_idle_timeout", home)), daemon=True
    ).start()
    signal.signal(signal.SIGTERM, _exit)
    try:
        server.run()
    finally:
        _remove_address(LocalHome.of(home).address)
        service.scheduler.close()
        cleaner.close()
        service.tensorboards.close()
        service.store.close()


def _say(ready: int, message: str) -> None:
    """Tell the process that starts the service, unless it was killed meanwhile: others may find the service."""
    with suppress(BrokenPipeError):
        os.write(ready, message.encode("utf-8", "replace"))


def _start(paths: LocalHome, home: Path, iam: tuple[str, int] | None) -> tuple[Any, Service, Activity, Cleaner]:
    watch, storage, store = _open(paths)
    place, service, cleaner = _assemble(paths, home, store, job_storage.address_of(storage))
    token = secrets.token_urlsafe(32)
    activity = Activity(LONG_POLLS)
    app = create_app(service, token, PROJECT_ID, activity)
    obs = buckets(token, service, activity)
    body_limit = limit_with_buckets(api_body_limit(token, service), obs)
    server = _listen(with_buckets(app, obs), body_limit, table.value_of("local_port", home))
    job_storage.serve(storage, paths, obs)
    tls = _start_tls_server(service, activity, *iam) if iam else {}
    process = Process.of(os.getpid())
    write_private(paths.address, {
        "url": f"http://127.0.0.1:{server.effective_port}", "token": token, "project_id": PROJECT_ID,
        "pid": process.pid, "started": process.started, "version": __version__,
        "installation": attrs.asdict(Installation.of_this_process()), **tls,
    })  # fmt: skip
    job_session.update(paths, store)
    service.scheduler.start()
    cleaner.start()
    service.tensorboards.start()
    threading.Thread(target=_exit_without_home, args=(watch, service, place), daemon=True).start()
    return server, service, activity, cleaner


def _open(paths: LocalHome) -> tuple[HomeWatch, socket.socket, Store]:
    """What is this service's alone: the lock on its home, the address of the buckets for jobs, the store."""
    try:
        paths.buckets.mkdir(parents=True, exist_ok=True)
        paths.root.chmod(0o700)
        watch = HomeWatch(paths, locks.hold(paths.running, EXIT_PATIENCE))
        return watch, job_storage.listen(paths), Store(paths.store, with_pages=True)
    except BlockingIOError:
        raise StartRefused(
            f"another process holds {paths.running}: a local service of an older version, or in a container; stop it"
        ) from None


def _assemble(paths: LocalHome, home: Path, store: Store, storage: str) -> tuple[Here, Service, Cleaner]:
    """The parts of the service with their settings; nothing is started.

    Args:
        storage: host and port at which jobs reach the buckets.
    """
    setting = partial(table.value_of, home=home)
    offered = catalog.load().with_more(setting("local_engines"), setting("local_flavors"))
    place, planner, grace = Here(), Planner(setting("local_conda")), setting("local_grace")
    capacity = setting("local_capacity") or os.cpu_count() or 1
    spec_builder = JobSpecBuilder(
        paths,
        offered,
        store,
        interpreters=setting("local_python"),
        describe_hardware=place.describe,
        environment=JobEnvironment(home, setting("local_environment")),
        isolation=setting("local_isolation"),
        images=setting("local_images"),
        cards=setting("local_cards"),
        storage=storage,
        planner=planner,
        capacity=capacity,
        grace=grace,
    )
    cleaner = Cleaner(paths, store, keep.parse(setting("local_keep")))
    scheduler = Scheduler(
        store,
        paths,
        spec_builder,
        place,
        capacity=capacity,
        on_end=cleaner.wake,
        before_start=place.prepare,
        grace=grace,
    )
    place.notify(scheduler.wake)
    tensorboards = TensorBoards(store, paths, setting("local_tensorboards"))
    return place, Service(store, scheduler, tensorboards, offered, paths, planner), cleaner


def _reason(error: Exception, paths: LocalHome) -> str:
    """Why the service does not start."""
    if found := shortage(error, paths.root):
        return found
    if isinstance(error, sqlite3.Error):
        return f"the store {paths.store} cannot be used: {error}"
    if isinstance(error, OSError):
        return f"{paths.root} cannot be used: {error.strerror or error} ({error.filename})"
    return str(error)


def _start_tls_server(service: Service, activity: Activity, region: str, port: int) -> dict[str, Any]:
    """Start the server that behaves as the cloud does; what clients need to find it, for the address file."""
    from modelarts.local.emulator.tls_server import start_tls_server

    try:
        server = start_tls_server(service, activity, service.home, region, port)
    except (ServiceError, OSError) as error:
        raise StartRefused(str(error)) from None
    return {"iam": {
        "url": server.url, "ca_bundle": str(server.certificates.ca), "account": str(service.home.account),
        "region_name": server.account.region, "project_id": server.account.project_id,
    }}  # fmt: skip


def _listen(app: Any, body_limit: BodyLimit, port: int) -> HttpServer:
    try:
        return HttpServer(app, body_limit, port, THREADS, f"modelarts/{__version__}")
    except OSError as error:
        raise StartRefused(
            f"port {port} cannot be used: {error.strerror}. Free it, or set MODELARTS_LOCAL_PORT to another "
            "port or to 0 for any free one; the services of two homes need two ports"
        ) from None


def _exit_when_idle(activity: Activity, service: Service, timeout: float) -> None:
    while True:
        idle = time.monotonic() - activity.last
        if idle >= timeout and not service.scheduler.busy and not service.tensorboards.busy:
            logger.info("idle for %.0f s: exiting", idle)
            os.kill(os.getpid(), signal.SIGTERM)
            return
        time.sleep(min(max(timeout - idle, 0.2), 30.0))


def _exit_without_home(watch: HomeWatch, service: Service, place: Here) -> None:
    """End when the home is removed or moved, with all jobs and TensorBoards: nobody would see how they end."""
    while (found := watch.look()) is Home.SAME:
        time.sleep(home_watch.INTERVAL)
    if found is Home.GONE:
        logger.warning("%s was removed or moved: ending all jobs", service.home.root)
        service.scheduler.close()
        service.tensorboards.end_all()
        place.end_all()
    else:
        logger.warning("%s was removed, another service may use this home: exiting", service.home.running)
    os.kill(os.getpid(), signal.SIGTERM)


def _remove_address(file: Path) -> None:
    """Remove the address of this service, but not that of another one in a new home at the same path."""
    with suppress(OSError):
        address = read_json(file)
        if isinstance(address, dict) and address.get("pid") == os.getpid():
            file.unlink()


def _exit(*_: object) -> None:
    raise SystemExit(0)


def main(arguments: list[str]) -> None:
    """Serve as the command line says: HOME READY [REGION PORT]."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    home, ready, *iam = arguments
    serve(Path(home), int(ready), (iam[0], int(iam[1])) if iam else None)


if __name__ == "__main__":
    main(sys.argv[1:])
