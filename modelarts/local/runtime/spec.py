"""The spec of a version, which a place runs: folders, processes, environment, log header."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import attrs
import psutil

import modelarts
from modelarts._obs.paths import MachinePath, ObsPath, expand_user, parse_path
from modelarts._settings import table
from modelarts.local import daemon, hardware, layout
from modelarts.local.catalog import Catalog
from modelarts.local.environment_plan import NoEnvironment, Planner
from modelarts.local.paths import JobPaths, LocalHome
from modelarts.local.runtime import boot, devices, images, job_session, rank_table, start
from modelarts.local.runtime.arguments import ASCEND, BucketAccess, Node, engine_environment, others_of
from modelarts.local.runtime.banner import Banner
from modelarts.local.runtime.environment import JobEnvironment
from modelarts.local.runtime.interpreter import python_of
from modelarts.local.runtime.locations import as_found, folder_to_create
from modelarts.local.runtime.results import results
from modelarts.local.runtime.start import Start
from modelarts.local.runtime.tree import named_by, of_interpreter, tree
from modelarts.local.store import Store
from modelarts.local.store.records import Job, Version

PACKAGES = sorted({str(Path(module.__file__).parents[1]) for module in (modelarts, psutil) if module.__file__})


@attrs.frozen
class JobSpecBuilder:
    """Builds the specs of stored versions."""

    home: LocalHome
    catalog: Catalog
    store: Store
    interpreters: dict[str, str]
    describe_hardware: Callable[[], str]
    environment: JobEnvironment
    isolation: str = "auto"  # the setting `local_isolation`
    images: str = images.HOST  # the setting `local_images`
    cards: int = 1  # the setting `local_cards`
    storage: str = ""  # host and port at which jobs reach the buckets over the OBS protocol
    planner: Planner = attrs.field(factory=Planner)
    capacity: int = 0  # workers that run at the same time, if that is limited
    grace: float = table.BY_NAME["local_grace"].default  # the setting

    def spec(self, job: Job, version: Version) -> dict[str, Any]:
        """The spec of a version: values that become JSON."""
        body, paths = version.body, self.home.job(version.id)
        data, data_fault = self._data(body)
        declared, environment_fault = self._declared(body)
        data = data and as_found(data, self.home.buckets)
        code = ObsPath.parse(body["app_url"]) if body["app_url"] else None
        output = as_found(parse_path(body["train_url"]), self.home.buckets) if body["train_url"] else None
        logs = parse_path(body["log_url"]) if body["log_url"] else None
        written = {"output_path": output, "log_url": logs}
        faults = [self.home.missing_bucket(name, path) for name, path in written.items() if path]
        session = job_session.create(self.home, version.id)
        nodes = self._nodes(job, version, data, output, code)
        workers = [self._worker(job, version, paths, node, logs) for node in nodes]
        return {
            "code": None if code is None else {"source": str(code.under(self.home.buckets)), "url": code.url,
                                               "name": code.name},
            "input": None if data is None else {"path": str(data.under(self.home.buckets)), "url": data.url},
            "fault": next(filter(None, [boot.fault(body), data_fault, environment_fault, *faults]), ""),
            "outputs": [folder_to_create(path, self.home.buckets) for path in (output, logs) if path],
            "exit": str(paths.exit),
            "supervisor": str(paths.supervisor),
            "started": str(paths.workers),
            "usage": str(paths.usage),
            "grace": self.grace,
            "packages": PACKAGES,
            "python": python_of(
                self._interpreter(self._engine(body)), self.home, self.environment, PACKAGES,
                installs=not body["user_command"], declared=declared,
            ),
            "tree": self._tree(body, workers, session, [data], [output, logs]),
            "workers": workers,
            "results": results(self.home, paths, output, len(nodes)),
            **images.members(body, version.resource_id, self.home, paths, self.images),
        }  # fmt: skip

    def _nodes(
        self, job: Job, version: Version, data: ObsPath | None, output: ObsPath | None, code: ObsPath | None
    ) -> list[Node]:
        """The nodes of a version. With an Ascend engine, the table that names them is written."""
        body = version.body
        is_ascend, count = self._engine(body).get("engine_name") == ASCEND, body["worker_server_num"]
        cards = self.cards if is_ascend else 1
        if is_ascend:
            rank_table.create(self.home.job(version.id), job.id, count, cards)
        access = BucketAccess(self.storage, *job_session.keys_of(self.home, version.id))
        first = Node(0, count, self._gpus(body), data, output, code, str(job.id), cards, buckets=access)
        return [attrs.evolve(first, index=index) for index in range(count)]

    def ran_on(self, version: Version) -> str:
        """The hardware that a version really runs on, and the requested flavor or pool."""
        spec = self.catalog.specs.get(version.body["spec_id"] or 0)
        requested = spec["spec_code"] if spec else f"pool {version.body['pool_id']}"
        return f"{self.describe_hardware()}; {requested} was requested"

    def unsupported(self, version: Version) -> str:
        """Why the service cannot train this version at all; else an empty text."""
        body = version.body
        if body["app_url"] or body["user_command"]:
            return ""
        algorithm = self.catalog.algorithms[body["model_id"]]
        if "script" in algorithm:
            return ""
        return f"the built-in algorithm {algorithm['model_name']} is documented, but the local service cannot train it"

    def _declared(self, body: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
        """The environment of a version with how to create it, and why that is impossible, or an empty text."""
        try:
            return self.planner.plan(body.get("environment"), self._interpreter(self._engine(body))), ""
        except NoEnvironment as error:
            return None, f"environment {body['environment']['name']!r} cannot be created: {error}"

    def _tree(
        self, body: dict[str, Any], workers: list[dict[str, Any]], session: Path, read: list[ObsPath | None],
        written: list[ObsPath | None],
    ) -> dict[str, Any]:  # fmt: skip
        program = self._interpreter(self._engine(body))
        environment = workers[0]["environment"]
        created = [folder_to_create(path, self.home.buckets) for path in written if isinstance(path, MachinePath)]
        used = [str(path.under(self.home.buckets)) for path in read if isinstance(path, MachinePath)]
        needed = [str(session.parent), *PACKAGES, *of_interpreter(program), *named_by(environment), *used, *created]
        has_image = bool(body["user_command"])
        writable = [environment["HOME"], *used, *created]
        return tree(self.home, self.isolation, has_image, needed, writable, created)

    def _gpus(self, body: dict[str, Any]) -> int:
        spec = self.catalog.specs.get(body["spec_id"] or 0)
        return int(spec["gpu_num"]) if spec else 0

    def _data(self, body: dict[str, Any]) -> tuple[ObsPath | None, str]:
        """The path of the input data, and why it cannot be used, or an empty text."""
        dataset, version, url = body["dataset_id"], body["dataset_version_id"], body["data_url"]
        for source in (body["data_source"] or ())[:1]:
            url, dataset, version = source.get("data_url"), source.get("dataset_id"), source.get("dataset_version")
        if dataset:
            return self._registered(dataset, version)
        return (parse_path(url), "") if url else (None, "")

    def _registered(self, dataset: str, version: str) -> tuple[ObsPath | None, str]:
        """The folder of a dataset, and why it cannot be used, or an empty text; the store may hold any URL."""
        url = self.store.datasets.url(dataset, version)
        anew = f"`{shlex.join(['modelarts', 'local', 'dataset', 'add', dataset, version])} FOLDER` registers it"
        if url is None:
            return None, f"dataset {dataset} version {version} is not registered; {anew}"
        try:
            return ObsPath.parse(url), ""
        except ValueError as error:
            return None, f"dataset {dataset} version {version} is registered as {url}: {error}; {anew} anew"

    def _worker(self, job: Job, version: Version, paths: JobPaths, node: Node, logs: ObsPath | None) -> dict[str, Any]:
        body, engine = version.body, self._engine(version.body)
        directory, outside = Path(layout.JOB_DIR), paths.node(node.index)
        python = str(paths.python(node.index) / "bin" / "python")
        started = self._start(body, engine, node, python, directory)
        beside = self._beside(body, engine, node, python, directory)
        name = f"{version.resource_id}-job-{job.name}-{node.index}.log"
        return {
            "argv": started.argv,
            "environment": {**self._variables(body, paths, node, directory), **started.variables},
            "beside": beside,
            "python": str(paths.python(node.index)),
            "root": str(outside.root),
            "directory": str(outside.job_dir),
            "log": str(paths.log(node.index)),
            "secret": node.buckets.secret_key,
            "log_object": str((logs / name).under(self.home.buckets)) if logs and self.home.has_bucket(logs) else None,
            "boot_file": "" if body["user_command"] else boot.relative(body),
            "banner": Banner(
                str(directory.parent), body["app_url"], boot.relative(body), job.name, started.command,
                [f"running on {self.ran_on(version)}", *started.notes, *_notes(body, beside),
                 *self._size_note(version)],
            ).text(),
        }  # fmt: skip

    def _size_note(self, version: Version) -> Iterator[str]:
        if 0 < self.capacity < version.workers:
            most = f"{self.capacity} that run here at the same time (setting local_capacity)"
            yield f"warning: {version.workers} workers are more than the {most}; this version runs alone"

    def _variables(self, body: dict[str, Any], paths: JobPaths, node: Node, directory: Path) -> dict[str, str]:
        """The environment of a worker."""
        of_node = {
            **engine_environment(self._engine(body).get("engine_name", ""), node),
            **rank_table.variables(paths),
            daemon.JOB_SESSION: str(paths.session),
        }
        own = {
            **devices.variables(self.environment.starter, hardware.gpus(), node.index, node.count),
            **(body.get("environment_variables") or {}),
        }
        return self.environment.of_worker(Path(layout.WORK), directory, paths.python(node.index), of_node, own)

    def _start(self, body: dict[str, Any], engine: dict[str, Any], node: Node, python: str, directory: Path) -> Start:
        if body["user_command"]:
            return start.image(body)
        program = self._interpreter(engine)
        if not body["app_url"]:
            started = start.algorithm(body, self.catalog.algorithms[body["model_id"]], node, python)
            return attrs.evolve(started, notes=[*started.notes, f"the interpreter is {program}"])
        note = f"engine {engine.get('engine_name')} {engine.get('engine_version')} is the interpreter {program}"
        if body.get("environment"):
            note = f"the interpreter is that of the environment {body['environment']['name']!r}"
        started = start.script(body, engine.get("engine_name", ""), node, python, directory)
        return attrs.evolve(started, notes=[note, *started.notes])

    def _beside(
        self, body: dict[str, Any], engine: dict[str, Any], node: Node, python: str, directory: Path
    ) -> list[dict[str, Any]]:
        """What runs in a node beside its script, see `isolation.Node.run`."""
        engine_name = engine.get("engine_name", "")
        if body["user_command"] or not body["app_url"]:
            return []
        programs = [
            {
                "argv": self._start(body, engine, other, python, directory).argv,
                "environment": engine_environment(engine_name, other),
                "label": "ps" if other.is_server else f"card {other.card}",
                "serves": other.is_server,
            }
            for other in others_of(engine_name, node)
        ]
        return [*programs, *start.mindspore_scheduler(engine_name, node, python)]

    def _engine(self, body: dict[str, Any]) -> dict[str, Any]:
        return self.catalog.engines.get(body["engine_id"] or 0, {})

    def _interpreter(self, engine: dict[str, Any]) -> str:
        for key in (engine.get("engine_version"), engine.get("engine_name")):
            if key in self.interpreters:
                return expand_user(self.interpreters[key])
        return sys.executable


def _notes(body: dict[str, Any], beside: list[dict[str, Any]]) -> Iterator[str]:
    """What a user may not expect of a worker, for its log."""
    labels = [f"[{other['label']}]" for other in beside if not other.get("optional")]
    if labels:
        yield f"the script runs {len(labels) + 1} times in this node; see lines with {', '.join(labels)}"
    if len(body["data_source"] or ()) > 1:
        yield "data_url is the first of several data sources"
