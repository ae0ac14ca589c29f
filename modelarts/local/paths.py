"""Every path of the local service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs

from modelarts._obs.paths import MachinePath, ObsPath
from modelarts.local import files, layout


@attrs.frozen
class LocalHome:
    """The folder of one local service, `<MODELARTS_HOME>/local`."""

    root: Path

    @classmethod
    def of(cls, home: Path) -> LocalHome:
        return cls(home / "local")

    @property
    def address(self) -> Path:
        """Address and token of the running service; only its user may read it."""
        return self.root / "service.json"

    @property
    def start_options(self) -> Path:
        """Options that the service was started with, for whoever starts it again; removed when it is stopped."""
        return self.root / "start-options.json"

    @property
    def running(self) -> Path:
        """Locked by the service for as long as it lives."""
        return self.root / "service.lock"

    @property
    def starting(self) -> Path:
        """Locked by whoever starts the service."""
        return self.root / "start.lock"

    @property
    def service_log(self) -> Path:
        return self.root / "service.log"

    @property
    def store(self) -> Path:
        return self.root / "store.db"

    @property
    def container_engine(self) -> Path:
        """The container engine that answered last, and when."""
        return self.root / "container-engine.json"

    @property
    def storage(self) -> Path:
        """The port at which jobs reach the buckets, for the next start of the service."""
        return self.root / "storage.json"

    @property
    def iam(self) -> Path:
        """Account and certificates of `--auth iam`; only its user may enter it."""
        return self.root / "iam"

    @property
    def account(self) -> Path:
        return self.iam / "account.json"

    @property
    def buckets(self) -> Path:
        return self.root / "buckets"

    @property
    def obs(self) -> Path:
        """State of `--auth iam` about objects: parts of uploads, and metadata that files do not have."""
        return self.root / "obs"

    @property
    def environments(self) -> Path:
        """What is made once for the Python environments of all jobs, and may be removed when no job runs."""
        return self.root / "environments"

    @property
    def packages(self) -> Path:
        """The environments in which the packages of `pip-requirements.txt` are."""
        return self.environments / "packages"

    def has_bucket(self, path: ObsPath) -> bool:
        return isinstance(path, MachinePath) or (self.buckets / path.bucket).is_dir()

    def missing_bucket(self, argument: str, path: ObsPath) -> str:
        """Why the path in an argument cannot be used if its bucket does not exist; else an empty text."""
        if self.has_bucket(path):
            return ""
        return f"there is no bucket {path.bucket!r} for {argument}={path.url}; session.obs.create_bucket creates it"

    @property
    def jobs(self) -> Path:
        """The folders of versions."""
        return self.root / "jobs"

    def job(self, version_id: int) -> JobPaths:
        return JobPaths(self.jobs / str(version_id))


@attrs.frozen
class JobPaths:
    """The folder of one version, which the service shares with the place where it runs."""

    root: Path

    @property
    def spec(self) -> Path:
        """What to run."""
        return self.root / "spec.json"

    @property
    def alive(self) -> Path:
        """Locked by the supervisor for as long as it lives; holds its pid, for users who want to kill it."""
        return self.root / "supervisor.lock"

    @property
    def supervisor(self) -> Path:
        """Pid and start time of the supervisor."""
        return self.root / "supervisor.json"

    @property
    def workers(self) -> Path:
        """The worker processes that were started."""
        return self.root / "workers.json"

    @property
    def usage(self) -> Path:
        """Samples of what the workers use."""
        return self.root / "usage.json"

    @property
    def metrics(self) -> Path:
        """The `metric.json` that the version wrote to its output folder, checked; kept when it has completed."""
        return self.root / "metrics.json"

    @property
    def containers(self) -> Path:
        """The containers that were started, and the engine that runs them."""
        return self.root / "containers.json"

    @property
    def exit(self) -> Path:
        """Outcome, end time and reason, written when it has ended."""
        return self.root / "exit.json"

    @property
    def session(self) -> Path:
        """Address of the service and token of the job, in a folder of its own, which is all that the job sees here."""
        return self.root / "session" / "address.json"

    @property
    def rank_table(self) -> Path:
        """Nodes and devices of an Ascend engine; beside the session, where the job sees it."""
        return self.session.with_name("rank_table.json")

    def log(self, worker: int) -> Path:
        return self.root / f"worker-{worker}.log"

    def python(self, worker: int) -> Path:
        """The virtual environment of a node."""
        return self.root / f"python-{worker}"

    def node(self, node: int) -> NodePaths:
        return NodePaths(self.root / f"node-{node}")


@attrs.frozen
class NodePaths:
    """The folders of one node, which a training process finds below `/`. They are plain folders from outside."""

    root: Path

    @property
    def job_dir(self) -> Path:
        """The working directory, with the copy of the code in it: `/home/work/user-job-dir`."""
        return self._outside(layout.JOB_DIR)

    @property
    def cache(self) -> Path:
        """`/cache`: empty when the node starts."""
        return self._outside(layout.CACHE)

    @property
    def tmp(self) -> Path:
        """`/tmp`: empty when the node starts, except for what must stay reachable below it."""
        return self._outside(layout.TMP)

    @property
    def work(self) -> Path:
        """`/home/work`."""
        return self._outside(layout.WORK)

    @property
    def ma_user(self) -> Path:
        """`/home/ma-user`: of versions that run an image."""
        return self._outside(layout.MA_USER)

    def _outside(self, path: str) -> Path:
        return Path(layout.placed(path, str(self.root)))


def write_private(path: Path, value: Any, indent: int | None = None) -> None:
    """Write JSON beside `path` and rename it into place; only this user may read it."""
    files.write(path, json.dumps(value, ensure_ascii=False, indent=indent).encode())


def read_json(path: Path) -> Any:
    """The JSON of a file, or `None` if it does not exist (yet), is no regular file, or is no complete JSON.

    Raises:
        OSError: this process lacks descriptors or memory, which says nothing about the file.
    """
    try:
        return json.loads(files.read(path, files.JSON_BYTES))
    except OSError as error:
        if files.is_shortage(error):
            raise
        return None
    except (RecursionError, ValueError):
        return None
