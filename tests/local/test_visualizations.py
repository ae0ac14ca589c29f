"""Visualization jobs run a real TensorBoard on the output of a training job.

One test reads from it what a job wrote. In the others, what is done with the process counts: a light one is enough.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import socket
import subprocess
import time

import psutil
import pytest
import requests

from modelarts._wire.v1.status import INIT, KILLED, KILLING, RUN_FAILED, RUNNING
from modelarts.errors import ApiError, NameTaken
from modelarts.estimator import VisualizationJob
from modelarts.local import daemon, tensorboard
from modelarts.local.paths import LocalHome
from modelarts.local.processes import Process
from modelarts.local.store import Store
from modelarts.session import Session
from tests.support import environment
from tests.support.jobs import LIGHT_TENSORBOARD, clear, estimator, put_code, until
from tests.support.processes import end_service

NUMBERS = itertools.count()  # the name of one that was deleted is free when its process has ended
# What `EventFileWriter` writes for a loss of 1.5, 1.0 and 0.5; without it, since its import takes half a second.
EVENTS = """
DwAAAAAAAABtUysJGg1icmFpbi5FdmVudDoy/JhRKQ8AAAAAAAAAbVMrCSoNCgsKBGxvc3MVAADAPwf2W6gaAAAAAAAAABKb2C0J
AAAAAAAA8D8QASoNCgsKBGxvc3MVAACAP6Dkq50aAAAAAAAAABKb2C0JAAAAAAAAAEAQAioNCgsKBGxvc3MVAAAAP9InmIw=
"""
WRITES_EVENTS = f"""
import base64, sys
import moxing as mox

train_url = next(text[len("--train_url="):] for text in sys.argv if text.startswith("--train_url="))
mox.file.write(train_url + "events/events.out.tfevents.1", base64.b64decode({EVENTS!r}), binary=True)
"""


@pytest.fixture
def light(monkeypatch):
    """TensorBoards start in no time, and only answer."""
    monkeypatch.setenv("PYTHONPATH", str(LIGHT_TENSORBOARD), prepend=os.pathsep)


@pytest.fixture(scope="module")
def light_home(tmp_path_factory):
    """The home of a service with such TensorBoards."""
    place = tmp_path_factory.mktemp("light") / "state"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(LIGHT_TENSORBOARD), prepend=os.pathsep)
        Session.local(place).close()
    yield place
    end_service(place)


@pytest.fixture
def light_session(light_home):
    with Session.local(light_home) as opened:
        opened.obs.create_bucket("bucket")
        yield opened
        clear(opened, light_home)


@pytest.fixture
def viewer(light_session):
    """A running visualization job."""
    return running(light_session)


def running(session) -> VisualizationJob:
    job = VisualizationJob(session).create_visualization_job("/bucket/output/", f"losses-{next(NUMBERS)}")
    until(lambda: job.get_visualization_job_info().status == 8, 60)
    return job


def scalars(url: str):
    query = {"run": "events", "tag": "loss"}
    reply = requests.get(f"{url}data/plugin/scalars/scalars", params=query, timeout=10)
    return [(step, value) for _, step, value in reply.json()] if reply.ok else None


def test_what_a_script_wrote_is_read_back_through_tensorboard_until_it_is_stopped(shared_session, tmp_path):
    put_code(shared_session, tmp_path, WRITES_EVENTS)
    assert estimator(shared_session).fit(inputs="/bucket/data/", wait=True).get_job_info().status == 10
    viewer = running(shared_session)
    url = viewer.get_visualization_job_info().service_url

    assert url.startswith("http://127.0.0.1:")
    assert until(lambda: scalars(url)) == [(0, 1.5), (1, 1.0), (2, 0.5)]

    viewer.stop_visualization_job()
    until(lambda: viewer.get_visualization_job_info().status == 12)
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=10)


def test_it_survives_its_service_and_is_still_managed_by_the_next(light, session, home):
    viewer = running(session)
    url = viewer.get_visualization_job_info().service_url
    os.kill(daemon.find(home).pid, signal.SIGKILL)
    until(lambda: daemon.find(home) is None)

    assert requests.get(url, timeout=10).ok
    assert viewer.get_visualization_job_info().status == 8

    viewer.stop_visualization_job()
    until(lambda: viewer.get_visualization_job_info().status == 12)
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=10)


def test_stopped_ones_can_be_restarted_and_running_ones_not(viewer):
    refused = viewer.restart_visualization_job()
    assert (refused.error_code, refused.error_msg) == ("ModelArts.0105", "This job can't be resubmit. job status: 8")

    viewer.stop_visualization_job()
    until(lambda: viewer.get_visualization_job_info().status == 12)
    assert viewer.stop_visualization_job().error_msg == "This job can't be stop. job status: 12"
    assert viewer.restart_visualization_job().is_success

    info = until(lambda: (i := viewer.get_visualization_job_info()).status == 8 and i, 60)
    assert requests.get(info.service_url, timeout=10).ok


def test_it_ends_when_its_running_time_is_over(light_session, light_home):
    schedule = {"type": "stop", "time_unit": "HOURS", "duration": 1}
    job = VisualizationJob(light_session).create_visualization_job("/bucket/output/", "timed", schedule=schedule)
    info = until(lambda: (i := job.get_visualization_job_info()).status == 8 and i, 60)
    assert 0 < info.remaining_duration <= 3_600_000

    store = Store(LocalHome.of(light_home).store)  # an hour passes
    row = store.visualizations.get(job.visualization_id)
    store.visualizations.transition(row.id, (8,), 8, start_time=row.start_time - 3_600_001)
    store.close()

    until(lambda: job.get_visualization_job_info().status == 10)
    until(lambda: not psutil.pid_exists(row.pid))


def test_one_that_dies_says_so(viewer, light_home):
    store = Store(LocalHome.of(light_home).store)
    pid = store.visualizations.get(viewer.visualization_id).pid
    store.close()

    os.kill(pid, signal.SIGKILL)

    info = until(lambda: (i := viewer.get_visualization_job_info()).status == 11 and i)
    assert info.error_result.startswith("TensorBoard ended by itself")


def test_it_is_listed_described_and_deleted(viewer, light_session, capsys):
    viewer.update_visualization_job("what the loss does")

    listed = VisualizationJob.get_visualization_job_list(light_session, status="running")
    shown = VisualizationJob.get_visualization_job_object_list(light_session)
    found = list(VisualizationJob.iter_visualization_jobs(light_session))

    assert listed.jobs[0].job_desc == found[0].job_desc == "what the loss does"
    assert shown[0].visualization_id == viewer.visualization_id
    assert re.search(rf"{viewer.job_name} +RUNNING", capsys.readouterr().out)
    assert shown[0].delete_visualization_job().is_success
    until(lambda: not viewer.get_visualization_job_info().is_success)
    assert VisualizationJob.get_visualization_job_list(light_session).job_total_count == 0


@pytest.mark.parametrize("strict", [False, True])
def test_one_that_is_being_stopped_is_deleted_when_it_has_ended(viewer, light_home, strict):
    viewer.stop_visualization_job()
    with Session.local(light_home, strict=strict) as session:
        same = VisualizationJob(session, viewer.visualization_id)

        assert same.delete_visualization_job().is_success

        until(lambda: same.visualization_id not in listed(session))
        if strict:
            with pytest.raises(ApiError):
                same.delete_visualization_job()
        else:
            assert same.delete_visualization_job().error_code == "ModelArts.0105"


def listed(session: Session) -> list[int]:
    return [row.job_id for row in VisualizationJob.iter_visualization_jobs(session)]


def test_names_are_unique(viewer, light_session):
    with pytest.raises(NameTaken):
        VisualizationJob(light_session).create_visualization_job("/bucket/output/", viewer.job_name)


def test_a_missing_bucket_is_reported(light_session):
    job = VisualizationJob(light_session).create_visualization_job("/typo/output/", "typo")

    info = until(lambda: (i := job.get_visualization_job_info()).status == 11 and i)
    told = "there is no bucket 'typo' for train_url=obs://typo/output/; session.obs.create_bucket creates it"
    assert info.error_result == told

    light_session.obs.create_bucket("typo")
    job.restart_visualization_job()
    until(lambda: job.get_visualization_job_info().status == 8, 60)


def test_one_that_cannot_be_started_fails_and_holds_up_no_other(viewer, light_session, light_home):
    in_the_way = LocalHome.of(light_home).root / "visualizations" / str(viewer.visualization_id + 1)
    in_the_way.write_text("a file")

    odd = VisualizationJob(light_session).create_visualization_job("/bucket/output/", "odd")
    good = VisualizationJob(light_session).create_visualization_job("/bucket/later/", "good")

    info = until(lambda: (i := odd.get_visualization_job_info()).status == 11 and i)
    assert info.error_result.startswith("TensorBoard cannot be started: ")
    until(lambda: good.get_visualization_job_info().status == 8, 60)
    in_the_way.unlink()


def test_mindinsight_is_refused_by_name(light_session):
    with pytest.raises(ApiError, match="MindInsight is not available in the local service"):
        VisualizationJob(light_session).create_visualization_job("/bucket/output/", job_type="MindInsight")


@pytest.mark.usefixtures("new_interpreter")
def test_without_tensorboard_the_error_names_the_command_to_install_it(home, tmp_path, monkeypatch):
    # A module that is None in sys.modules counts as not installed.
    blocker = tmp_path / "blocker"
    blocker.mkdir()
    (blocker / "sitecustomize.py").write_text("import sys; sys.modules['tensorboard'] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(blocker))
    with Session.local(home) as session, pytest.raises(ApiError, match=r"pip install 'modelarts\[tensorboard\]'"):
        VisualizationJob(session).create_visualization_job("/bucket/output/")


# --- how many run at once


@pytest.fixture
def few(env):
    """TensorBoards of which two run at once; no process is started for them."""
    boards = tensorboard.TensorBoards(env.store, env.service.home, most=2)
    boards._launch = lambda row, _: env.store.visualizations.transition(
        row.id, (1,), RUNNING, pid=os.getpid(), process_started=0, port=1, start_time=row.id
    )
    return boards


def test_the_oldest_that_nobody_uses_is_stopped_for_another_one(env, few):
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        port = server.getsockname()[1]
        client.connect(("127.0.0.1", port))
        used, idle = Started(env, ["sleep", "60"]), Started(env, ["sleep", "60"])
        try:
            used.put(RUNNING, port=port, start_time=1)
            idle.put(RUNNING, port=1, start_time=2)
            new = env.visualization(INIT)

            few.step()
            assert (used.status(), idle.status()) == (RUNNING, KILLING)
            assert env.store.visualizations.get(new.id).status == INIT

            until(lambda: few.step() and env.store.visualizations.get(new.id).status == RUNNING)
            assert (used.status(), idle.status()) == (RUNNING, KILLED)
            reply = env.call("get_visualization_job", {"job_id": idle.row.id})
            reason = "stopped for another one: at most 2 run at once (local_tensorboards)"
            assert reply.members["error_result"] == reason
        finally:
            used.end()
            idle.end()


# --- which process is stopped


def test_one_that_cannot_be_followed_ends_and_others_go_on(env):
    odd, good = env.visualization(RUNNING), env.visualization(KILLING)
    store = env.store.visualizations
    store.transition(odd.id, environment.ANY, RUNNING, pid=2**62, process_started=1)

    env.service.tensorboards.step()

    assert store.get(odd.id).status == RUN_FAILED
    assert store.get(good.id).status == KILLED


class Started:
    """A visualization job in the store whose process is one that a test started."""

    def __init__(self, env: environment.Environment, argv: list[str]) -> None:
        self.store = env.store.visualizations
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True)
        self.row = env.visualization(RUNNING)
        self.put(RUNNING, pid=self.process.pid, process_started=int(Process.of(self.process.pid).started))

    def put(self, status: int, **changes: object) -> None:
        assert self.store.transition(self.row.id, environment.ANY, status, **changes)

    def status(self) -> int:
        found = self.store.get(self.row.id)
        assert found is not None
        return int(found.status)

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def env(home):
    with environment.in_process(home) as opened:
        yield opened


def test_a_process_with_the_pid_of_an_ended_tensorboard_is_never_signalled(env):
    started = Started(env, ["sleep", "60"])
    try:
        started.put(KILLING, process_started=int(Process.of(started.process.pid).started) - 1)

        env.service.tensorboards.step()

        assert started.status() == KILLED
        assert started.process.poll() is None
    finally:
        started.end()


def test_one_that_ignores_the_request_to_stop_is_killed_without_blocking_others(env, monkeypatch):
    monkeypatch.setattr(tensorboard, "PATIENCE", 0.5)
    started = Started(env, ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"])
    try:
        assert started.process.stdout is not None
        started.process.stdout.readline()
        started.put(KILLING)

        began = time.monotonic()
        env.service.tensorboards.step()
        assert time.monotonic() - began < tensorboard.PATIENCE
        assert started.status() == KILLING

        until(lambda: env.service.tensorboards.step() is None)
        assert started.status() == KILLED
        assert started.process.wait(5) == -signal.SIGKILL
    finally:
        started.end()
