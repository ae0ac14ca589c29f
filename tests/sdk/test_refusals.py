"""What the documents say returns a response returns one when refused; what returns an object raises."""

from __future__ import annotations

import logging
from typing import Any, Callable

import pytest

from modelarts.errors import ApiError, AuthError, NameTaken, NotFound, Throttled
from modelarts.estimator import Estimator, TrainingJob
from modelarts.session import Session
from tests.support.cases import case
from tests.support.cloud import HOST, PROJECT, Cloud, cloud_estimator, cloud_session, contract

REFUSAL = {"is_success": False, "error_code": "ModelArts.0105", "error_message": "Error string"}
INFO = "/training-jobs/10/versions/20"
DATA = {"inputs": "/bucket/data/"}

Act = Callable[[Session], Any]


def job(session: Session) -> TrainingJob:
    return TrainingJob(session, job_id=10, version_id=20)


# The calls, the requests that they make, and how they are called; what the SDK pages say each returns is in `KINDS`.
CALLS: dict[str, tuple[str, str, Act]] = {
    "fit": ("POST", "/training-jobs", lambda s: cloud_estimator(s).fit(job_name="j", **DATA)),
    "create_job_version": ("POST", "/training-jobs/10/versions",
                           lambda s: cloud_estimator(s).create_job_version(10, 20, **DATA)),
    "create_job_configs": ("POST", "/training-job-configs",
                           lambda s: cloud_estimator(s).create_job_configs(config_name="c")),
    "get_train_instance_types": ("GET", "/job/resource-specs", Estimator.get_train_instance_types),
    "get_framework_list": ("GET", "/job/ai-engines", Estimator.get_framework_list),
    "update_job_configs": ("PUT", "/training-job-configs/c", lambda s: cloud_estimator(s).update_job_configs("c")),
    "get_job_info": ("GET", INFO, lambda s: job(s).get_job_info()),
    "get_job_version_info": ("GET", "/training-jobs/10/versions", lambda s: job(s).get_job_version_info()),
    "stop_job_version": ("POST", INFO + "/stop", lambda s: job(s).stop_job_version()),
    "get_job_log_file_list": ("GET", INFO + "/log/file-names", lambda s: job(s).get_job_log_file_list()),
    "get_job_log": ("GET", INFO + "/aom-log", lambda s: job(s).get_job_log("job-j.0")),
    "get_job_configs_info": ("GET", "/training-job-configs/c",
                             lambda s: TrainingJob(s, config_name="c").get_job_configs_info()),
    "get_built_in_algorithms": ("GET", "/built-in-algorithms", Estimator.get_built_in_algorithms),
}  # fmt: skip
KINDS = {
    method["name"]: method["returns"]["type"]
    for documented in contract("sdk_surface.json")["classes"] if documented["name"] == "Estimator"
    for method in documented["methods"]
}  # fmt: skip
RESPONSES = [name for name in CALLS if KINDS[name] == "dict"]
OBJECTS = [name for name in CALLS if name not in RESPONSES]


def refuse(cloud: Cloud, name: str, reply: Any = None, status: int = 400, **more: Any) -> None:
    """Refuse a call, and no other."""
    cloud.faked.reset()
    if name in ("fit", "create_job_version", "create_job_configs", "update_job_configs"):
        cloud.look_ups("specs", "engines")
    method, path, _ = CALLS[name]
    cloud.answer(method, path, REFUSAL if reply is None else reply, status, **more)


def refused_info(cloud: Cloud, session: Session, reply: Any = None, status: int = 400, **more: Any) -> Any:
    refuse(cloud, "get_job_info", reply, status, **more)
    return job(session).get_job_info()


# --- response or error


@pytest.mark.parametrize("http", [200, 400, 404])
def test_a_failed_call_returns_a_response(cloud: Cloud, session: Session, http: int):
    for name in RESPONSES:
        with case(name):
            refuse(cloud, name, status=http)

            response = CALLS[name][2](session)

            assert dict(response) == {"is_success": False, "error_code": "ModelArts.0105", "error_msg": "Error string"}
            assert (response.is_success, response.error_msg) == (False, "Error string")


@pytest.mark.parametrize("http", [200, 400])
def test_a_failed_call_without_an_object_to_return_raises(cloud: Cloud, session: Session, http: int):
    for name in OBJECTS:
        refuse(cloud, name, status=http)

        with case(name), pytest.raises(ApiError, match=r"ModelArts\.0105: Error string"):
            CALLS[name][2](session)


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_every_failed_call_raises_when_strict(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, how: str):
    if how == "environment":
        monkeypatch.setenv("MODELARTS_STRICT", "1")

    with cloud_session(strict=True if how == "argument" else None) as strict:
        assert strict.strict
        for name in CALLS:
            refuse(cloud, name)
            with case(name), pytest.raises(ApiError, match=r"ModelArts\.0105: Error string"):
                CALLS[name][2](strict)


@pytest.mark.parametrize("http", [401, 403])
def test_refused_credentials_always_raise(cloud: Cloud, session: Session, http: int):
    for name in CALLS:
        refuse(cloud, name, status=http)

        with case(name), pytest.raises(AuthError, match="Check the access key, the project id and the region"):
            CALLS[name][2](session)


def test_strict_as_an_argument_beats_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODELARTS_STRICT", "1")

    assert cloud_session(strict=False).strict is False


@pytest.mark.parametrize("http", [200, 400])
def test_raise_on_failure_raises_the_error(cloud: Cloud, session: Session, http: int):
    response = refused_info(cloud, session, status=http)

    with pytest.raises(ApiError) as caught:
        response.raise_on_failure()

    assert (caught.value.status, caught.value.code, caught.value.method) == (http, "ModelArts.0105", "GET")


def test_raise_on_failure_returns_a_success(cloud: Cloud, session: Session):
    response = refused_info(cloud, session, {"is_success": True, "job_id": 10}, 200)

    assert response.raise_on_failure() is response


# --- spellings of a refusal

SPELLINGS = [
    ({"error_code": "ModelArts.0104", "error_message": "why"}, 400, "why"),
    ({"is_success": False, "error_code": "ModelArts.0104", "error_msg": "why"}, 200, "why"),
    ({"error_code": "ModelArts.0104", "error_msg": "why"}, 200, "why"),
    ({"error_code": "ModelArts.0104", "error_message": "why", "error_msg": "why"}, 500, "why"),
    ({"is_success": True, "error_code": "ModelArts.0104", "error_msg": "why"}, 400, "why"),
    ({"is_success": False, "error_code": "ModelArts.0104"}, 400, "HTTP 400 without a reason"),
]


@pytest.mark.parametrize(("reply", "http", "text"), SPELLINGS)
def test_all_forms_of_failures_become_one(
    cloud: Cloud, session: Session, reply: dict[str, Any], http: int, text: str
):
    response = refused_info(cloud, session, reply, http)

    assert dict(response) == {"is_success": False, "error_code": "ModelArts.0104", "error_msg": text}


def test_an_error_without_a_code_has_an_empty_code(cloud: Cloud, session: Session):
    response = refused_info(cloud, session, {"is_success": False, "error_msg": "why", "error_code": None})

    assert response.error_code == ""
    with pytest.raises(ApiError, match="no error code: why"):
        response.raise_on_failure()


@pytest.mark.parametrize("reply", [{"job_id": 10}, {"job_id": 10, "error_code": None, "error_message": None}])
def test_a_reply_without_a_code_is_a_success(cloud: Cloud, session: Session, reply: dict[str, Any]):
    assert dict(refused_info(cloud, session, reply, 200)) == {"job_id": 10, "is_success": True}


# --- what is told

KIND = [
    (400, "ModelArts.0103", NameTaken, "Choose another name, or omit it"),
    (404, "ModelArts.0105", NotFound, "Check the id or the name"),
    (400, "ModelArts.0015", NotFound, "Check the id or the name"),
    (429, "ModelArts.0111", Throttled, "Wait a moment and call again"),
    (401, "APIGW.0301", AuthError, "Check the access key"),
    (403, "ModelArts.0108", AuthError, "Check the access key"),
    (400, "ModelArts.9999", ApiError, ""),
]


@pytest.mark.parametrize(("http", "code", "kind", "next_step"), KIND)
def test_an_error_carries_its_fields_and_says_what_to_do_next(
    cloud: Cloud, session: Session, http: int, code: str, kind: type[ApiError], next_step: str
):
    cloud.look_ups("specs", "engines")
    reply = {"is_success": False, "error_code": code, "error_message": "why"}
    cloud.answer("POST", "/training-jobs", reply, http, headers={"X-request-id": "r-1"})

    with pytest.raises(ApiError) as caught:
        cloud_estimator(session).fit(job_name="j", **DATA)

    error, url = caught.value, f"{HOST}/v1/{PROJECT}/training-jobs"
    assert type(error) is kind
    assert (error.status, error.code, error.message, error.request_id) == (http, code, "why", "r-1")
    assert (error.method, error.url) == ("POST", url)
    assert str(error).startswith(f"{code}: why. {next_step}")
    assert str(error).endswith(f" Request id: r-1. (POST {url}, HTTP {http})")


def test_a_returned_failure_is_logged_as_a_warning(cloud: Cloud, session: Session, caplog: pytest.LogCaptureFixture):
    for name in RESPONSES:
        refuse(cloud, name)
        caplog.clear()

        with caplog.at_level(logging.WARNING, "modelarts"):
            CALLS[name][2](session)

        with case(name):
            (record,) = caplog.records
            assert (record.name, record.levelname) == ("modelarts", "WARNING")
            assert "ModelArts.0105: Error string" in record.getMessage()


def test_a_raised_error_is_not_logged(cloud: Cloud, session: Session, caplog: pytest.LogCaptureFixture):
    for name in OBJECTS:
        refuse(cloud, name)

        with caplog.at_level(logging.WARNING, "modelarts"), pytest.raises(ApiError):
            CALLS[name][2](session)

        assert caplog.records == [], name
