"""Answers whose members are missing or of another kind are told as such: no success, and no error of Python's."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from modelarts._jobs import follow, reconnect
from modelarts.errors import BadReply, JobFailed, ModelArtsError, OutcomeUnknown
from modelarts.estimator import Estimator
from modelarts.job import TrainingJob
from modelarts.session import Session
from modelarts.visualization import VisualizationJob
from tests.support.cloud import CPU, ENGINES, MADE, Cloud, cloud_estimator

INFO, VERSIONS, JOBS = "/training-jobs/10/versions/20", "/training-jobs/10/versions", "/training-jobs"
CONFIGS, CONFIG, NAMES = "/training-job-configs", "/training-job-configs/c", f"{INFO}/log/file-names"
SPECS, LOG, LOG_BYTES = "/job/resource-specs", f"{INFO}/aom-log", f"{INFO}/log"
VISUALIZATIONS = "/visualization-jobs"
ENDED = {"is_success": True, "status": 11, "error_result": "out of memory"}

Act = Callable[[Session], Any]
READ: dict[str, tuple[str, Act]] = {
    "jobs": (JOBS, lambda s: list(Estimator.iter_jobs(s))),
    "one page of jobs": (JOBS, Estimator.get_job_list),
    "versions": (VERSIONS, lambda s: TrainingJob(s, 10).get_job_version_info()),
    "handles of versions": (VERSIONS, lambda s: TrainingJob(s, 10).get_job_version_object_list()),
    "configurations": (CONFIGS, Estimator.get_job_configs_object_list),
    "visualization jobs": (VISUALIZATIONS, VisualizationJob.get_visualization_job_object_list),
    "a version": (INFO, lambda s: TrainingJob(s, 10, 20).get_job_info()),
    "a configuration": (CONFIG, lambda s: TrainingJob(s, config_name="c").get_job_configs_info()),
    "settings of a configuration": (CONFIG, lambda s: Estimator.from_job_configs(s, "c")),
    "state of a version": (INFO, lambda s: TrainingJob(s, 10, 20).get_job_state()),
    "names of logs": (NAMES, lambda s: TrainingJob(s, 10, 20).get_job_log_file_list()),
    "lines of a log": (LOG, lambda s: TrainingJob(s, 10, 20).get_job_log("a")),
    "bytes of a log": (LOG_BYTES, lambda s: TrainingJob(s, 10, 20).get_job_log("a", start_byte=0)),
    "flavors": (SPECS, Estimator.get_train_instance_types),
    "engines": ("/job/ai-engines", Estimator.get_framework_list),
    "algorithms": ("/built-in-algorithms", Estimator.get_built_in_algorithms),
}
NO_ROWS: tuple[Any, ...] = ("abc", 5, {"a": 1}, [1], [None], [{}])
WRONG: list[tuple[str, dict[str, Any]]] = [
    *((what, {"jobs": rows}) for what in ("jobs", "one page of jobs", "visualization jobs") for rows in NO_ROWS),
    *((what, {"versions": rows}) for what in ("versions", "handles of versions") for rows in NO_ROWS),
    *(("configurations", {"configs": rows}) for rows in (*NO_ROWS, [{"config_name": None}], [{"config_name": ""}])),
    *(("jobs", {"jobs": [{"job_id": number}]}) for number in (None, [1], "abc", True, 0, -1, 1.5)),
    *(("a version", {"status": status}) for status in ("DOWN", [8], True, 1.5)),
    *(("settings of a configuration", {"parameter": value}) for value in
      (0.5, True, "x", [1], [{"value": "1"}], [{"label": 5}])),
    *(("settings of a configuration", {name: value}) for name, value in
      (("spec_code", [1]), ("spec_id", "x"), ("data_source", [1]), ("volumes", 5), ("app_url", {}))),
    ("state of a version", {"job_id": 10}),
    *(("names of logs", {"log_file_list": names}) for names in (5, [5], {"a": 1})),
    *(("lines of a log", {name: value}) for name, value in
      (("content", 5), ("lines", "many"), ("start_line", [1]), ("end_line", {"a": 1}))),
    *(("bytes of a log", {"log": "text", **changes}) for changes in ({"log": 5}, {"end_byte": "abc"})),
    *(("flavors", {"specs": rows}) for rows in (*NO_ROWS, [{"spec_code": CPU}], [{"spec_id": 2, "spec_code": 5}])),
    ("flavors", {"specs": [{"spec_id": 2, "spec_code": CPU, "max_num": "many"}]}),
    *(("engines", {"engines": rows}) for rows in (*NO_ROWS, [{**ENGINES[0], "engine_version": None}])),
    *(("algorithms", {"models": rows}) for rows in NO_ROWS),
]  # fmt: skip


@pytest.mark.parametrize("what", READ)
def test_a_wrong_member_is_reported_with_its_value(cloud: Cloud, session: Session, what: str):
    path, act = READ[what]
    for members in (members for where, members in WRONG if where == what):
        cloud.faked.reset()
        cloud.answer("GET", path, {"is_success": True, **members})

        with pytest.raises(BadReply, match=r"answered with \w+=.+, which is not as documented. Check the endpoint"):
            pytest.fail(f"{members} were returned as {act(session)}")


@pytest.mark.parametrize("what", READ)
def test_an_object_of_another_service_is_not_a_reply(cloud: Cloud, session: Session, what: str):
    path, act = READ[what]
    for foreign in ({"status": "DOWN"}, {"content": "please log in", "error": None}, {"text": "hi"}):
        cloud.faked.reset()
        cloud.answer("GET", path, foreign)

        with pytest.raises(BadReply):
            pytest.fail(f"{foreign} was returned as {act(session)}")


def test_a_refusal_is_returned_whatever_else_is_in_it(cloud: Cloud, session: Session):
    cloud.answer("GET", LOG_BYTES, {"is_success": False, "error_code": "E.1", "log": ["a"], "end_byte": [1]}, 404)

    refused = TrainingJob(session, 10, 20).get_job_log("a", start_byte=0)

    assert (refused.is_success, refused.error_code) == (False, "E.1")
    assert "log" not in refused


def test_a_deeply_nested_object_is_not_a_reply(cloud: Cloud, session: Session):
    cloud.answer("GET", INFO, b'{"is_success": false, "error_msg": ' + b"[" * 300 + b"]" * 300 + b"}", 404)

    with pytest.raises(BadReply, match="HTTP 404 with a body that is not a ModelArts reply"):
        TrainingJob(session, 10, 20).get_job_info()


@pytest.mark.parametrize("foreign", [{"status": "DOWN"}, {"content": "please log in", "error": None}, {"job_id": 1}])
@pytest.mark.parametrize(
    ("method", "path", "act", "error"),
    [
        ("DELETE", "/training-jobs/10", lambda s: TrainingJob(s, 10).delete_job(), BadReply),
        ("PUT", "/training-jobs/10", lambda s: TrainingJob(s, 10).update_job_description("d"), BadReply),
        ("POST", f"{INFO}/stop", lambda s: TrainingJob(s, 10, 20).stop_job_version(), OutcomeUnknown),
    ],
    ids=["delete", "update", "stop"],
)
def test_an_object_of_another_service_changes_nothing(
    cloud: Cloud, session: Session, method: str, path: str, act: Act, error: type, foreign: dict[str, Any]
):
    cloud.answer(method, path, foreign)

    with pytest.raises(error, match="with a body that is not a ModelArts reply"):
        act(session)


# --- creating


@pytest.mark.parametrize("wrong", ["abc", [1], {"a": 1}, False, True, 1.5, 0, -1, None, ""], ids=repr)
@pytest.mark.parametrize("member", ["job_id", "version_id"])
def test_a_job_without_a_valid_id_is_looked_up(cloud: Cloud, session: Session, member: str, wrong: Any):
    """The service has made it: an answer that does not tell it rightly is one that was lost."""
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", JOBS, {**MADE, member: wrong})
    found = {**MADE, "create_time": 4_102_444_800_000}
    cloud.answer("GET", JOBS, {"is_success": True, "jobs": [found]}, headers={"Date": "Sat, 21 Nov 2026 07:49:25 GMT"})

    job = cloud_estimator(session).fit(inputs="/bucket/data/", job_name="digits")

    assert (job.job_id, job.version_id) == (10, 20)
    assert cloud.calls.count("POST /training-jobs") == 1


def test_a_job_without_a_start_needs_no_version(cloud: Cloud, session: Session):
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", JOBS, {"is_success": True, "job_id": 10, "job_name": "digits"})

    job = cloud_estimator(session, create_version=False).fit(inputs="/bucket/data/", job_name="digits", wait=True)

    assert (job.job_id, job.version_id) == (10, None)


def test_a_reply_to_a_new_version_may_omit_the_job(cloud: Cloud, session: Session):
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", VERSIONS, {"is_success": True, "version_id": 21, "job_id": None})
    estimator = cloud_estimator(session)

    made = estimator.create_job_version(10, 20, inputs="/bucket/data/")

    assert (made.job_id, made.version_id, estimator.job_id) == (10, 21, 10)


def test_a_found_job_must_have_an_id_too(cloud: Cloud, session: Session):
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", JOBS, {**MADE, "job_id": None})
    cloud.answer("GET", JOBS, {"is_success": True, "jobs": [{"job_name": "digits", "create_time": 4_102_444_800_000}]})

    with pytest.raises(OutcomeUnknown, match="Looking up the job named 'digits' failed too"):
        cloud_estimator(session).fit(inputs="/bucket/data/", job_name="digits")


# --- waiting, and going through pages


def test_a_failed_job_is_reported_even_if_the_reply_has_no_ids(cloud: Cloud, session: Session):
    cloud.answer("GET", INFO, ENDED)
    cloud.answer("GET", NAMES, {"is_success": True, "log_file_list": []})

    with pytest.raises(JobFailed, match="out of memory") as caught:
        TrainingJob(session, "10", 20).wait(show=False)

    assert (caught.value.job_id, caught.value.version_id) == (10, 20)


@pytest.mark.parametrize(
    "page",
    [
        {"content": "x\n", "lines": 1, "start_line": "0"},
        {"content": "x\n", "lines": 1, "start_line": "0", "end_line": "0"},
        {"content": "x\n", "lines": 500, "start_line": "0", "end_line": "0"},
        {"content": 5, "lines": 1},
        {"content": "x\n", "lines": "many"},
    ],
    ids=["no end", "always the same", "always the same long one", "no text", "no count"],
)
def test_a_log_that_cannot_be_followed_ends(
    cloud: Cloud, session: Session, capsys: pytest.CaptureFixture[str], page: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    monkeypatch.setattr(follow, "REST", 0.1)
    monkeypatch.setattr(reconnect, "RETRY", 0.02)
    cloud.answer("GET", INFO, ENDED)
    cloud.answer("GET", NAMES, {"is_success": True, "log_file_list": ["a"]})
    cloud.answer("GET", LOG, {"is_success": True, **page})

    with pytest.raises(JobFailed, match="out of memory"):
        TrainingJob(session, 10, 20).wait()

    assert capsys.readouterr().out.count("x\n") <= 2  # once as it comes, once as the end of the log
    assert len(cloud.requests) < 30


@pytest.mark.parametrize("size", [1, 3])
def test_a_list_that_answers_every_page_with_the_same_rows_ends(cloud: Cloud, session: Session, size: int):
    cloud.answer("GET", JOBS, {"is_success": True, "jobs": [{"job_id": number} for number in range(1, size + 1)]})
    rows = Estimator.iter_jobs(session, per_page=size)

    with pytest.raises(ModelArtsError, match=r"only rows of earlier pages|3 jobs where at most 1 were requested"):
        list(itertools.islice(rows, 100))


def test_a_list_with_more_rows_than_requested_is_reported(cloud: Cloud, session: Session):
    cloud.answer("GET", JOBS, {"is_success": True, "jobs": [{"job_id": number} for number in range(1, 6)]})

    with pytest.raises(BadReply, match="with 5 jobs where at most 2 were requested"):
        list(Estimator.iter_jobs(session, per_page=2))
