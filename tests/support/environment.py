"""The local service without threads and processes: jobs keep the status that a test sets."""

from __future__ import annotations

import itertools
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable
from unittest.mock import patch

import attrs
import requests
import waitress.wasyncore

from modelarts._wire.v1.routes import BY_OPERATION
from modelarts._wire.v1.status import INIT
from modelarts.local import catalog, daemon
from modelarts.local.api.app import Activity, create_app
from modelarts.local.api.handlers.context import Service
from modelarts.local.paths import LocalHome
from modelarts.local.places.here import Here
from modelarts.local.runtime.environment import JobEnvironment
from modelarts.local.runtime.spec import JobSpecBuilder
from modelarts.local.scheduler import Scheduler
from modelarts.local.store import Store, now
from modelarts.local.store.records import Version, Visualization
from modelarts.local.tensorboard import TensorBoards
from modelarts.session import Session
from tests.support.app_adapter import AppAdapter, in_place_of

TOKEN, PROJECT = "the token of this service", "local"
_PORTS = itertools.count(1)  # without a server
ANY = tuple(range(23))  # every documented status
BODY = {
    "worker_server_num": 1, "app_url": "/bucket/src/", "boot_file_url": "/bucket/src/train.py", "engine_id": 1,
    "spec_id": 2, "parameter": [{"label": "lr", "value": "0.001"}], "data_url": "/bucket/data/",
    "train_url": "/bucket/output/", "log_url": "/bucket/log/",
}  # fmt: skip


@attrs.frozen
class Reply:
    """The response to a call."""

    status: int
    members: dict[str, Any]


class Environment:
    """A service, a bare HTTP client and a session of the SDK for it, and methods that create test data."""

    url: str
    session: Session

    def __init__(self, home: Path) -> None:
        self.home = home
        self.exchanges: list[requests.Response] = []  # all responses, if no socket is used
        paths = LocalHome.of(home)
        paths.buckets.mkdir(parents=True)
        self.store = Store(paths.store)
        job_catalog = catalog.load()
        place = Here()
        environment = JobEnvironment(home)
        self.spec_builder = JobSpecBuilder(paths, job_catalog, self.store, {}, place.describe, environment)
        scheduler = Scheduler(self.store, paths, self.spec_builder, place, capacity=1)
        self.service = Service(self.store, scheduler, TensorBoards(self.store, paths), job_catalog, paths)
        self.app = create_app(self.service, TOKEN, PROJECT, Activity(8))
        self.raw = requests.Session()
        self.raw.trust_env = False
        self.raw.headers["X-Auth-Token"] = TOKEN
        self._numbers = itertools.count(1)
        self._watcher = sqlite3.connect(paths.store, check_same_thread=False)

    def open(self, url: str) -> Environment:
        """Create the clients for the address of the service."""
        self.url = url
        address = daemon.Address(url, TOKEN, PROJECT, 0)
        with patch.object(daemon, "ensure", lambda _: address):
            self.session = Session.local(self.home, strict=False)
        self.session.obs.create_bucket("bucket")
        return self

    def close(self) -> None:
        self.raw.close()
        self.session.close()
        self.store.close()
        self._watcher.close()

    # --- calls

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Send a request with the bare HTTP client; `path` follows the project, or begins with `/v1` or two slashes."""
        data = options.pop("data", None) if body is None else json.dumps(body).encode()
        headers = {"X-Auth-Token": TOKEN, **options.pop("headers", {})}
        url = self.url + path if path.startswith(("/v1", "//")) else f"{self.url}/v1/{PROJECT}{path}"
        given = {name: value for name, value in headers.items() if value is not None}
        request = requests.Request(method, url, given, data=data, **options).prepare()
        # Not by the session: its cookies, redirects and defaults take as long as the service does.
        reply = self.raw.get_adapter(url).send(request, timeout=20)
        _ = reply.content
        return reply

    def call(
        self, operation: str, path: Mapping[str, Any] | None = None, query: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> Reply:  # fmt: skip
        """Call an operation with a bare HTTP client."""
        route = BY_OPERATION[operation]
        url = route.url("", project_id=PROJECT, **(path or {}))
        reply = self.send(route.method, url, body, params=dict(query or {}))
        return Reply(reply.status_code, reply.json())

    def call_by_sdk(
        self, operation: str, path: Mapping[str, Any] | None = None, query: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> Reply:  # fmt: skip
        """Call an operation with the SDK's client, which folds `error_message` into `error_msg`."""
        response = self.session.client.call(operation, path, query, body)
        return Reply(response.sent[0], dict(response))

    # --- test data

    def name(self, stem: str = "n") -> str:
        """An unused name."""
        return f"{stem}{next(self._numbers)}"

    def config(self, **changes: Any) -> str:
        """Create a configuration and return its name."""
        name = self.name("config")
        self._create("create_training_job_config", body={**BODY, "config_name": name, **changes})
        return name

    def version(self, status: int = INIT, log: str | bytes = "", **changes: Any) -> Version:
        """Create a job with one version, which has this status and log."""
        body = {"job_name": self.name("job"), "config": {**BODY, **changes}}
        created = self._create("create_training_job", body=body)
        return self.put(created["job_id"], created["version_id"], status, log)

    def put(self, job_id: int, version_id: int, status: int, log: str | bytes = "") -> Version:
        """Set the status and the log of a version."""
        times = {"start_time": now() if status != INIT else None, "end_time": now() if status >= 10 else None}
        self.store.jobs.transition(version_id, ANY, status, **times)
        if log:
            file = self.service.home.job(version_id).log(0)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(log if isinstance(log, bytes) else log.encode())
        version = self.store.jobs.version(job_id, version_id)
        assert version is not None
        return version

    def log_file(self, version: Version) -> str:
        """The name of a version's first log."""
        job = self.store.jobs.get(version.job_id)
        assert job is not None
        return f"job-{job.name}.0"

    def visualization(self, status: int = INIT, **changes: Any) -> Visualization:
        """Create a visualization job with this status."""
        body = {"job_name": self.name("vis"), "train_url": "/bucket/output/", **changes}
        job_id = self._create("create_visualization_job", body=body)["job_id"]
        self.store.visualizations.transition(job_id, ANY, status, start_time=now())
        row = self.store.visualizations.get(job_id)
        assert row is not None
        return row

    def _create(self, operation: str, **options: Any) -> dict[str, Any]:
        reply = self.call(operation, **options)
        assert reply.status == 200, reply.members
        return reply.members

    def changes(self) -> int:
        """A number that changes with every write to the store."""
        return int(self._watcher.execute("PRAGMA data_version").fetchone()[0])


@attrs.frozen
class ApiClient:
    """An environment, and one of its clients."""

    environment: Environment
    call: Callable[..., Reply]
    is_raw: bool


@contextmanager
def in_process(home: Path) -> Iterator[Environment]:
    """An environment whose clients call the application directly."""
    environment = Environment(home)
    adapter = AppAdapter(environment.app, environment.exchanges)
    url = f"http://127.0.0.1:{next(_PORTS)}"
    with in_place_of(url, adapter):
        try:
            yield environment.open(url)
        finally:
            environment.close()


@contextmanager
def over_a_socket(home: Path) -> Iterator[Environment]:
    """An environment whose clients use a server on the loopback address."""
    environment = Environment(home)
    server = waitress.create_server(environment.app, host="127.0.0.1", port=0, threads=2)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield environment.open(f"http://127.0.0.1:{server.effective_port}")
    finally:
        environment.close()
        # With its connections: one that waits for the rest of a body would keep it running.
        server.trigger.pull_trigger(lambda: waitress.wasyncore.close_all(server._map, ignore_all=True))
        thread.join(10)
        server.task_dispatcher.shutdown()
