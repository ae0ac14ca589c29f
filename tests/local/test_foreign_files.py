"""Jobs without a tree of their own can replace what the service keeps of them: it reads regular files only."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from modelarts._wire.v1.status import COMPLETED, RUNNING
from modelarts.local import locks
from modelarts.local.places import last_words
from modelarts.local.places.images import remove
from modelarts.local.places.worker_log import Log
from modelarts.local.runtime import job_session, logs
from modelarts.local.store.records import Version
from tests.support.cases import case
from tests.support.environment import Environment, in_process
from tests.support.files import put
from tests.support.jobs import estimator, put_code, shared
from tests.support.jobs import logs as read_logs

LARGE = 300 << 20  # bytes; none of them is on the disk


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link(path: Path) -> None:
    path.symlink_to(path.parents[3] / "secret")


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def listener(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        folder = os.open(path.parent, os.O_RDONLY)  # the paths of sockets are short
        bound.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)


def large(path: Path) -> None:
    path.touch()
    os.truncate(path, LARGE)


def nested(path: Path) -> None:
    path.write_text("[" * 200_000)


KINDS = (pipe, link, endless, listener, Path.mkdir, large, nested)
SHAPES = ("[1]", "5", "{}", '{"cpuUsage": 5, "memUsage": [], "gpuUtil": []}', '{"cpuUsage": [1]}', '"text"', "null")


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    place = tmp_path_factory.mktemp("foreign") / "state"
    with in_process(place) as opened:
        (place / "secret").write_text('{"token": "secret", "cpuUsage": ["secret"], "memUsage": [], "gpuUtil": []}')
        yield opened


def replace(path: Path, kind: Callable[[Path], Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    kind(path)
    return path


def version(env: Environment, status: int) -> Version:
    return env.version(status, "line\n", user_command="", worker_server_num=1)


def replies(env: Environment, of: Version) -> list[dict[str, Any]]:
    path = {"job_id": of.job_id, "version_id": of.id}
    log = {"log_file": env.log_file(of)}
    calls = [
        env.call("get_training_job_version", path), env.call("get_training_job_log", path, log),
        env.call("get_training_job_log", path, {**log, "base_line": "0"}),
        env.call("get_training_job_log_bytes", path, log),
    ]  # fmt: skip
    assert [reply.status for reply in calls] == [200] * len(calls), calls
    return [reply.members for reply in calls]


def test_what_is_no_file_or_too_large_counts_as_not_there(env):
    ended = version(env, COMPLETED)
    folder = env.service.home.job(ended.id)

    for kind in KINDS:
        with case(kind.__name__):
            replace(folder.usage, kind)
            replace(folder.metrics, kind)
            if kind not in (large, nested):  # any log is read, a page at a time
                replace(folder.log(0), kind)
            members, *read = replies(env, ended)

            assert members["system_metric_list"] == {"cpuUsage": [], "memUsage": [], "gpuUtil": []}
            assert members["model_metric_list"] == "{}"
            if kind not in (large, nested):
                assert [reply.get("content", reply.get("log")) for reply in read] == [""] * 3


def test_usage_and_metrics_of_another_shape_are_not_passed_on(env):
    ended = version(env, COMPLETED)
    folder = env.service.home.job(ended.id)

    for text in SHAPES:
        with case(text):
            folder.usage.write_text(text)
            folder.metrics.write_text(text if text != SHAPES[3] else "[]")
            members = replies(env, ended)[0]

            assert members["system_metric_list"] == {"cpuUsage": [], "memUsage": [], "gpuUtil": []}
            assert members["model_metric_list"] in ("{}", text)


def test_a_session_file_that_a_job_replaced_costs_that_job_its_session_only(env):
    running, other = version(env, RUNNING), version(env, RUNNING)
    file = job_session.create(env.service.home, running.id)
    good = job_session.create(env.service.home, other.id)
    token = job_session.token_of(env.service.home, env.store, str(other.id))

    for kind in KINDS:
        with case(kind.__name__):
            replace(file, kind)
            reply = env.send("GET", "/training-jobs", headers={"X-Auth-Token": f"{running.id}.secret"})
            job_session.update(env.service.home, env.store)
            assert reply.status_code == 401
            assert f'"{token}"' in good.read_text()
    shutil.rmtree(file.parent)
    file.parent.write_text("no folder")
    job_session.update(env.service.home, env.store)


def test_nothing_is_written_through_what_a_job_left(env, tmp_path):
    ended = version(env, RUNNING)
    folder = env.service.home.job(ended.id)
    (tmp_path / "mine").write_text("mine")

    for kind in (pipe, listener, Path.mkdir, lambda path: path.symlink_to(tmp_path / "mine")):
        log = replace(folder.log(0), kind)
        logs.append_end(folder, "it was lost")
        assert Log(str(log)).problem
        assert last_words.of(str(log), 1, ()) == ""
        replace(folder.containers, kind)
        remove(str(folder.containers))
        replace(folder.alive, kind)
        assert not locks.is_held(folder.alive)
        if kind is not pipe:
            with pytest.raises(OSError, match=r"supervisor\.lock"):
                locks.hold(folder.alive)
    for text in ("[1]", '{"workers": [1, {"log_object": 5}]}', '{"workers": 5}'):
        folder.spec.write_text(text)
        replace(folder.log(0), Path.touch)
        logs.append_end(folder, "it was lost")
        assert folder.log(0).read_text().endswith("it was lost\n")
    assert (tmp_path / "mine").read_text() == "mine"


def test_code_is_copied_without_what_is_no_content(shared_session, shared_home, tmp_path):
    put_code(shared_session, tmp_path, "import os; print(sorted(os.listdir('src')), open('src/link').read())")
    code = shared(shared_home) / "bucket" / "src"
    put(code.parent / "folder" / "file", "linked")
    for name, target in {
        "broken": "nowhere", "endless": "/dev/zero", "circle": "..", "self": "self", "link": "../folder/file",
        "folder": "../folder",
    }.items():  # fmt: skip
        (code / name).symlink_to(target)
    os.mkfifo(code / "pipe")

    job = estimator(shared_session).fit(inputs="/bucket/data/")

    assert job.wait(show=False).status == COMPLETED
    assert "['folder', 'link', 'train.py'] linked\n" in read_logs(job)[0]
