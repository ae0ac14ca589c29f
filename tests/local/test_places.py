"""The interface of places: what the scheduler makes of what any place says, and what this machine does behind it."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sqlite3
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from modelarts._wire.v1.status import COMPLETED, INIT, KILLED, KILLING, RUN_FAILED, RUN_LOST, RUNNING, WAITING
from modelarts.local.paths import JobPaths, read_json, write_private
from modelarts.local.places.base import Phase, State, Unreachable
from modelarts.local.places.here import Here
from modelarts.local.processes import Process
from modelarts.local.runtime.spec import PACKAGES
from modelarts.local.scheduler import LOST, STOP_PATIENCE, STOPPED, Scheduler
from modelarts.local.store.records import Version
from modelarts.local.working_directories import remove_tree
from tests.support import environment
from tests.support.jobs import until
from tests.support.processes import running


class Elsewhere:
    """A place without processes: versions are in the states that a test puts them in."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}
        self.calls: list[tuple[str, str]] = []
        self.failing: dict[str, Exception] = {}  # by the name of the call

    def describe(self) -> str:
        return "4 nodes elsewhere"

    def start(self, key: str, folder: JobPaths) -> None:
        assert json.loads(folder.spec.read_text())["workers"]
        self._called("start", key)
        self.states.setdefault(key, State(Phase.RUNNING))

    def look(self, folders: Mapping[str, JobPaths]) -> dict[str, State]:
        self._called("look", " ".join(folders))
        return {key: self.states.get(key, State(Phase.UNKNOWN)) for key in folders}

    def stop(self, key: str, folder: JobPaths) -> bool:
        self._called("stop", key)
        return True

    def force(self, key: str, folder: JobPaths) -> None:
        self._called("force", key)

    def clean(self, key: str, folder: JobPaths) -> None:
        self._called("clean", key)

    def _called(self, call: str, key: str) -> None:
        if call in self.failing:
            raise self.failing[call]
        self.calls.append((call, key))

    def count(self, call: str) -> int:
        return sum(called == call for called, _ in self.calls)


class Scheduled:
    """A store with versions, and a scheduler that takes its steps when a test says so."""

    def __init__(self, env: environment.Environment, capacity: int = 1) -> None:
        self.env = env
        self.place = Elsewhere()
        self.capacity = capacity
        self.restart()

    def restart(self) -> None:
        """A new service over the same store and folders."""
        env = self.env
        self.scheduler = Scheduler(env.store, env.service.home, env.spec_builder, self.place, self.capacity)

    def status(self, version: Version) -> int:
        return int(self.now(version).status)

    def now(self, version: Version) -> Version:
        found = self.env.store.jobs.version(version.job_id, version.id)
        assert found is not None
        return found

    def log(self, version: Version) -> str:
        return self.env.service.home.job(version.id).log(0).read_text()


@pytest.fixture
def scheduled(home: Path) -> Iterator[Scheduled]:
    with environment.in_process(home) as env:
        yield Scheduled(env)


def test_a_version_goes_from_the_queue_through_its_place_to_its_end(scheduled):
    first, second = scheduled.env.version(), scheduled.env.version()

    scheduled.scheduler.step()
    assert (scheduled.status(first), scheduled.status(second)) == (RUNNING, WAITING)
    third = scheduled.env.version()
    why = "1 of at most 1 workers are running (setting local_capacity)"
    assert [scheduled.scheduler.why_queued(queued) for queued in (second, third)] == [(1, why), (2, why)]
    scheduled.scheduler.stop(third)

    scheduled.place.states[str(first.id)] = State(Phase.COMPLETED, 1_700_000_000_000)
    scheduled.scheduler.step()
    assert (scheduled.status(first), scheduled.status(second)) == (COMPLETED, RUNNING)
    assert scheduled.now(first).end_time == 1_700_000_000_000

    scheduled.place.states[str(second.id)] = State(Phase.FAILED, 1_700_000_000_000, "exit code 3")
    assert scheduled.scheduler.step() is None
    assert (scheduled.status(second), scheduled.now(second).reason) == (RUN_FAILED, "exit code 3")
    assert scheduled.place.count("start") == 2


def test_capacity_counts_workers_and_nobody_overtakes(scheduled):
    scheduled.capacity = 3
    scheduled.restart()
    versions = [scheduled.env.version(spec_id=27, worker_server_num=workers) for workers in (2, 2, 1, 4, 1)]
    ran = []
    for _ in versions:
        scheduled.scheduler.step()
        running = [number for number, version in enumerate(versions) if scheduled.status(version) == RUNNING]
        ran.append(running)
        why = [scheduled.scheduler.why_queued(v) for v in versions if scheduled.status(v) == WAITING]
        assert [place for place, _ in why] == [*range(1, len(why) + 1)]
        if len(ran) == 1:
            assert why[0][1].startswith("it needs 2 workers, and 2 of at most 3 workers are running")
        for number in running:
            scheduled.place.states[str(versions[number].id)] = State(Phase.COMPLETED, 1_700_000_000_000)

    assert ran == [[0], [1, 2], [3], [4], []]
    job = scheduled.env.store.jobs.get(versions[3].job_id)
    spec = attrs.evolve(scheduled.env.spec_builder, capacity=3).spec(job, versions[3])
    assert "[local] warning: 4 workers are more than the 3 that run here at the same time" in str(spec)


def test_one_look_covers_all_versions_that_run(scheduled):
    scheduled.capacity = 3
    scheduled.restart()
    versions = [scheduled.env.version() for _ in range(3)]
    scheduled.scheduler.step()
    scheduled.place.calls.clear()

    scheduled.scheduler.step()

    assert scheduled.place.calls == [("look", " ".join(str(version.id) for version in versions))]


def test_a_stop_is_requested_once_and_the_place_says_when_it_has_ended(scheduled):
    version = scheduled.env.version()
    scheduled.scheduler.step()

    assert scheduled.scheduler.stop(scheduled.now(version))
    for _ in range(3):
        scheduled.scheduler.step()
    assert (scheduled.status(version), scheduled.place.count("stop")) == (KILLING, 1)

    scheduled.place.states[str(version.id)] = State(Phase.STOPPED, 1, STOPPED)
    scheduled.scheduler.step()
    assert scheduled.status(version) == KILLED


def test_a_lost_version_is_cleaned_up_before_it_is_reported(scheduled):
    version = scheduled.env.version()
    scheduled.scheduler.step()
    scheduled.place.states[str(version.id)] = State(Phase.LOST)

    scheduled.place.failing["clean"] = Unreachable("no route")
    scheduled.scheduler.step()
    assert scheduled.status(version) == RUNNING

    scheduled.place.failing.clear()
    scheduled.scheduler.step()
    assert (scheduled.status(version), scheduled.place.count("clean")) == (RUN_LOST, 1)
    assert LOST in scheduled.log(version)
    assert scheduled.log(version).endswith("Training end with return code: 137\n")


def test_a_version_lost_while_it_was_being_stopped_is_stopped(scheduled):
    version = scheduled.env.version()
    scheduled.scheduler.step()
    scheduled.scheduler.stop(scheduled.now(version))
    scheduled.place.states[str(version.id)] = State(Phase.LOST)

    scheduled.scheduler.step()

    assert (scheduled.status(version), scheduled.now(version).reason) == (KILLED, STOPPED)


def test_a_place_that_does_not_respond_says_nothing_about_any_version(scheduled):
    version, queued = scheduled.env.version(), scheduled.env.version()
    scheduled.scheduler.step()
    scheduled.place.failing["look"] = Unreachable("no route")

    assert scheduled.scheduler.step() is not None
    assert (scheduled.status(version), scheduled.status(queued)) == (RUNNING, WAITING)

    scheduled.place.failing.clear()
    scheduled.place.states[str(version.id)] = State(Phase.COMPLETED, 1)
    scheduled.scheduler.step()
    assert (scheduled.status(version), scheduled.status(queued)) == (COMPLETED, RUNNING)


def test_a_start_without_an_answer_is_repeated_with_the_same_key(scheduled):
    version = scheduled.env.version()
    scheduled.place.failing["start"] = Unreachable("no answer")
    scheduled.scheduler.step()
    assert scheduled.status(version) == RUNNING

    scheduled.place.failing.clear()
    scheduled.scheduler.step()

    assert scheduled.place.calls[-1] == ("start", str(version.id))
    assert scheduled.status(version) == RUNNING


def test_a_service_that_was_killed_before_a_start_starts_it_the_next_time(scheduled):
    version = scheduled.env.version()
    scheduled.place.failing["start"] = SystemExit()  # the end of the service, in the middle of a step
    with pytest.raises(SystemExit):
        scheduled.scheduler.step()
    scheduled.place.failing.clear()

    scheduled.restart()
    scheduled.scheduler.step()

    assert (scheduled.status(version), scheduled.place.count("start")) == (RUNNING, 1)


def test_a_version_that_was_started_and_that_its_place_does_not_know_is_lost(scheduled):
    version = scheduled.env.version()
    scheduled.scheduler.step()
    del scheduled.place.states[str(version.id)]

    scheduled.scheduler.step()

    assert (scheduled.status(version), scheduled.place.count("start")) == (RUN_LOST, 1)


def test_a_version_that_the_place_refuses_fails_without_blocking_others(scheduled):
    refused, next_one = scheduled.env.version(), scheduled.env.version()
    scheduled.place.failing["start"] = OSError("no such partition")
    scheduled.scheduler.step()
    scheduled.place.failing.clear()

    scheduled.scheduler.step()

    assert scheduled.status(refused) == RUN_FAILED
    assert "this version cannot be started: no such partition" in scheduled.log(refused)
    assert scheduled.status(next_one) in (INIT, RUNNING, RUN_FAILED)


@pytest.mark.parametrize("call", ["look", "clean", "stop"])
def test_a_version_that_its_place_cannot_follow_is_lost_and_the_others_go_on(scheduled, call):
    scheduled.capacity = 2
    scheduled.restart()
    odd, other, queued = (scheduled.env.version() for _ in range(3))
    scheduled.scheduler.step()
    scheduled.place.states[str(other.id)] = State(Phase.COMPLETED, 1)
    if call == "look":
        scheduled.place.states[str(odd.id)] = State(Phase.FAILED, [1], "")  # type: ignore[arg-type]
    else:
        scheduled.place.failing[call] = TypeError("odd")
    if call == "clean":
        scheduled.place.states[str(odd.id)] = State(Phase.LOST)
    if call == "stop":
        scheduled.scheduler.stop(scheduled.now(odd))

    scheduled.scheduler.step()

    assert (scheduled.status(odd), scheduled.status(other), scheduled.status(queued)) == (RUN_LOST, COMPLETED, RUNNING)
    assert "the local service cannot follow this version" in (scheduled.now(odd).reason or "")


def test_a_stop_that_does_not_end_a_version_is_forced_and_recorded_at_last(scheduled, monkeypatch):
    version = scheduled.env.version()
    scheduled.scheduler.step()
    scheduled.scheduler.stop(scheduled.now(version))
    clock = [0.0]
    monkeypatch.setattr("modelarts.local.scheduler.time.monotonic", lambda: clock[0])
    calls = []
    for clock[0] in (0.0, STOP_PATIENCE - 1, 5 * STOP_PATIENCE, 6 * STOP_PATIENCE + 1):
        scheduled.scheduler.step()
        calls.append((scheduled.place.count("force"), scheduled.place.count("clean")))

    assert calls == [(0, 0), (0, 0), (1, 0), (1, 1)]
    assert (scheduled.status(version), scheduled.now(version).reason) == (KILLED, STOPPED)


def test_a_running_version_of_a_deleted_job_is_stopped_and_then_deleted_with_its_folder(scheduled):
    jobs = scheduled.env.store.jobs
    version = scheduled.env.version()
    scheduled.scheduler.step()
    folder = scheduled.env.service.home.job(version.id).root

    scheduled.scheduler.remove(jobs.delete(version.job_id))
    scheduled.scheduler.step()
    assert (scheduled.status(version), scheduled.place.count("stop")) == (KILLING, 1)
    assert folder.exists()

    scheduled.place.states[str(version.id)] = State(Phase.STOPPED, 1)
    scheduled.scheduler.step()
    assert jobs.get(version.job_id) is None
    assert not folder.exists()


def test_a_step_takes_no_longer_with_a_long_queue(scheduled):
    scheduled.env.version()
    queued = scheduled.env.version()
    short = fastest_step(scheduled)
    with contextlib.closing(sqlite3.connect(scheduled.env.service.home.store)) as store, store:
        names = [row[1] for row in store.execute("PRAGMA table_info(versions)") if row[1] not in ("id", "name")]
        columns = ", ".join(names)
        copy = f"INSERT INTO versions (name, {columns}) SELECT ?, {columns} FROM versions WHERE id = ?"
        store.executemany(copy, [(f"V{number}", queued.id) for number in range(1000)])

    assert fastest_step(scheduled) < 5 * short


def fastest_step(scheduled: Scheduled) -> float:
    """Seconds of one step that changes nothing."""
    scheduled.scheduler.step()
    took = []
    for _ in range(20):
        began = time.perf_counter()
        scheduled.scheduler.step()
        took.append(time.perf_counter() - began)
    return min(took)


# --- this machine


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[JobPaths]:
    """The folder of a version whose one worker sleeps; what is left of it at the end is killed."""
    paths = JobPaths(tmp_path / "7")
    paths.root.mkdir()
    write_private(paths.spec, spec(paths, ["sleep", "60"]))
    yield paths
    Here().clean("7", paths)
    Process.recorded(read_json(paths.supervisor)).signal(signal.SIGKILL)


@pytest.fixture(scope="module")
def place() -> Here:
    """This machine, ready to fork supervisors, which takes as long as a test."""
    ready = Here()
    ready.prepare()
    return ready


def spec(paths: JobPaths, argv: list[str], **environment: str) -> dict[str, Any]:
    worker = {
        "argv": argv, "environment": {**os.environ, **environment}, "directory": str(paths.node(0).job_dir),
        "root": str(paths.node(0).root),
        "log": str(paths.log(0)), "log_object": None, "banner": "",
    }  # fmt: skip
    return {
        "code": None, "input": None, "fault": "", "outputs": [], "exit": str(paths.exit),
        "supervisor": str(paths.supervisor), "started": str(paths.workers), "usage": str(paths.usage),
        "packages": PACKAGES, "workers": [worker],
        "tree": {
            "isolation": "auto", "own": ["/tmp", "/home/work/user-job-dir"], "covered": "/none", "shown": [],
            "writable": [],
        },
        "results": {"output": None, "url": "", "metrics": str(paths.metrics), "scratch": [{}], "advice": ""},
    }  # fmt: skip


def phase(place: Here, paths: JobPaths) -> Phase:
    return place.look({"7": paths})["7"].phase


def test_the_same_key_is_started_once(folder):
    place = Here()
    assert phase(place, folder) is Phase.UNKNOWN

    place.start("7", folder)
    supervisor = until(lambda: folder.workers.exists() and folder.alive.read_text())
    assert read_json(folder.supervisor)["pid"] == int(supervisor)
    Here().start("7", folder)  # as another service does that does not know whether it was started

    assert folder.alive.read_text() == supervisor
    assert phase(place, folder) is Phase.RUNNING


def test_a_stop_is_delivered_to_the_supervisor_alone(place, folder):
    assert not place.stop("7", folder)
    place.start("7", folder)
    until(folder.workers.exists)
    supervisor = read_json(folder.supervisor)

    write_private(folder.supervisor, {**supervisor, "started": str(int(supervisor["started"]) - 1)})  # a pid used again
    assert not place.stop("7", folder)
    write_private(folder.supervisor, supervisor)
    assert place.stop("7", folder)

    until(lambda: phase(place, folder) is Phase.STOPPED)
    assert place.look({"7": folder})["7"].reason == STOPPED


def test_a_version_of_a_killed_supervisor_is_lost_and_its_workers_are_ended(place, folder):
    place.start("7", folder)
    worker = Process(**until(lambda: read_json(folder.workers))[0])
    Process(**read_json(folder.supervisor)).signal(signal.SIGKILL)

    until(lambda: phase(place, folder) is Phase.LOST)
    place.clean("7", folder)

    until(lambda: not worker.is_running())


def test_a_version_whose_supervisor_hangs_is_ended_by_force(place, folder):
    place.start("7", folder)
    worker = Process(**until(lambda: read_json(folder.workers))[0])
    Process(**read_json(folder.supervisor)).signal(signal.SIGSTOP)
    folder.supervisor.write_text("no record")  # then whoever holds the lock

    place.force("7", folder)

    until(lambda: phase(place, folder) is Phase.LOST)
    until(lambda: not worker.is_running())


def test_a_worker_whose_pid_belongs_to_another_process_is_not_ended(place, folder, tmp_path):
    place.start("7", folder)
    (worker,) = until(lambda: read_json(folder.workers))
    write_private(folder.workers, [{**worker, "started": str(int(worker["started"]) - 1)}])

    place.clean("7", folder)

    assert Process(**worker).is_running()
    write_private(folder.workers, [worker])


def test_a_record_that_makes_no_sense_counts_as_none(folder):
    write_private(folder.supervisor, {"pid": 1, "started": "1"})
    folder.exit.write_text('{"outcome": "?"}')

    assert phase(Here(), folder) is Phase.LOST


@pytest.mark.parametrize("record", [
    {}, {"end_time": [], "reason": {}}, {"end_time": 10**30, "reason": 5}, {"end_time": True, "reason": "\ud800"},
])  # fmt: skip
def test_members_of_a_record_that_make_no_sense_are_left_out(scheduled, folder, record):
    version = scheduled.env.version()
    scheduled.scheduler.step()
    folder.exit.write_text(json.dumps({"outcome": "failed", **record}))
    scheduled.place.states[str(version.id)] = Here().look({"7": folder})["7"]

    scheduled.scheduler.step()

    assert (scheduled.status(version), scheduled.now(version).reason) in ((RUN_FAILED, None), (RUN_FAILED, "?"))


@pytest.mark.parametrize(
    ("argv", "environment", "reason"),
    [
        (["sleep"], {"a=b": "1"}, "sleep cannot be started: 'a=b': the name of an environment variable contains"),
        (["sleep"], {"a\0": "1"}, r"sleep cannot be started: 'a\x00': the name of an environment variable contains"),
        (["sleep"], {"a": "1\0"}, "sleep cannot be started: embedded null byte"),
        (["sleep", "1\0"], {}, "sleep cannot be started: embedded null byte"),
        (["sleep", "\ud800"], {}, "sleep cannot be started: 'utf-8' codec can't encode"),
        (["no such program"], {}, "no such program cannot be started: No such file or directory"),
        (["sleep", "1" * 200_000], {}, "sleep cannot be started: Argument list too long"),
        (["sleep", 1], {}, "sleep cannot be started: expected str, bytes or os.PathLike"),
        ([], {}, "the workers cannot be run: IndexError("),
    ],
    ids=["name with =", "name with NUL", "value with NUL", "argument with NUL", "surrogate", "no program", "too long",
         "no text", "nothing to run"],
)  # fmt: skip
def test_whatever_keeps_workers_from_starting_fails_the_version_with_the_reason(
    place, folder, argv, environment, reason
):
    folder.spec.write_text(json.dumps(spec(folder, argv, **environment)))

    place.start("7", folder)
    until(lambda: phase(place, folder) is not Phase.RUNNING)

    state = place.look({"7": folder})["7"]
    assert (state.phase, state.reason.startswith(reason)) == (Phase.FAILED, True), state
    assert f"[Modelarts Service Log][local] {reason}" in folder.log(0).read_text()


def test_a_worker_killed_by_a_signal_without_a_name_fails_the_version(place, folder):
    write_private(folder.spec, spec(folder, ["/bin/sh", "-c", "kill -40 $$"]))

    place.start("7", folder)
    until(lambda: phase(place, folder) is not Phase.RUNNING)

    assert place.look({"7": folder})["7"].reason == "the script was killed by signal 40"


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Path]:
    """A folder that may become so deep that what removes old folders of tests could not remove it."""
    (tmp_path / "bucket").mkdir()
    yield tmp_path / "bucket"
    remove_tree(tmp_path / "bucket")


@pytest.mark.parametrize("levels", [1200, 3000])
def test_folders_of_thousands_of_levels_are_created_or_named_as_the_reason(place, folder, bucket, levels):
    deep = str(bucket) + "/d" * levels
    described = spec(folder, ["true"])
    described["outputs"] = [deep]
    described["workers"][0]["log_object"] = f"{deep}/log"
    write_private(folder.spec, described)

    place.start("7", folder)
    until(lambda: phase(place, folder) is not Phase.RUNNING)

    state = place.look({"7": folder})["7"]
    if levels == 1200:
        assert (state.phase, Path(deep, "log").exists()) == (Phase.COMPLETED, True)
    else:
        assert state.phase is Phase.FAILED
        assert state.reason.startswith("the job's folders cannot be created: [Errno 36] File name too long")


def test_a_supervisor_that_cannot_record_why_it_failed_tells_the_service(folder):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    place, ended = Here(), []
    place.notify(lambda: ended.append(True))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limit[1]))  # as on a full disk; the supervisor inherits it
    try:
        place.start("7", folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    until(lambda: ended)

    state = place.look({"7": folder})["7"]
    assert state == State(Phase.LOST, reason="the process that supervised this version failed: File too large")


def test_a_supervisor_that_fails_says_so_and_not_that_it_was_killed(place, folder):
    write_private(folder.spec, {**spec(folder, ["true"]), "workers": None})

    place.start("7", folder)
    until(lambda: phase(place, folder) is not Phase.RUNNING)

    state = place.look({"7": folder})["7"]
    assert state.phase is Phase.FAILED
    assert state.reason.startswith("the process that supervised this version failed: TypeError(")


def test_a_version_that_has_no_space_for_the_record_of_its_end_fails_before_it_starts(folder):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    place = Here()
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limit[1]))  # bytes of a file; the supervisor inherits it
    try:
        place.start("7", folder)
        until(lambda: phase(place, folder) is not Phase.RUNNING)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    state = place.look({"7": folder})["7"]
    assert (state.phase, state.reason) == (Phase.FAILED, "the job's folder cannot be written: File too large")
    assert not folder.workers.exists()


def test_exit_codes_are_known_where_the_service_was_started_with_sigchld_ignored(folder):
    write_private(folder.spec, spec(folder, ["/bin/sh", "-c", "exit 3"]))
    place = Here()
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        place.start("7", folder)
        until(lambda: phase(place, folder) is not Phase.RUNNING)
    finally:
        signal.signal(signal.SIGCHLD, before)

    assert place.look({"7": folder})["7"].reason == "the script ended with exit code 3"


@pytest.mark.parametrize("isolation", ["auto", "off"])
def test_processes_that_a_worker_leaves_running_end_with_it(place, folder, isolation):
    mark = f"6{os.getpid()}"
    script = f"setsid sleep {mark} & sleep {mark} & echo $! > left; (exec setsid sh -c 'sleep {mark} & sleep {mark}') &"
    content = spec(folder, ["/bin/sh", "-c", script])
    content["tree"]["isolation"] = isolation
    write_private(folder.spec, content)

    place.start("7", folder)
    until(lambda: phase(place, folder) is Phase.COMPLETED)

    assert (folder.node(0).job_dir / "left").read_text()
    assert running(mark) == []
