"""Requests are repeated where that is safe, always have time-outs, and go to no other host."""

from __future__ import annotations

import email.utils
import time
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, Optional

import pytest
import requests

from modelarts._auth import signing
from modelarts.errors import ApiError, BadReply, ConnectionFailed, OutcomeUnknown
from modelarts.session import Session
from tests.support.cloud import BASE, MADE, Cloud, cloud_estimator, cloud_session

OK = {"is_success": True}
BUSY = {"is_success": False, "error_code": "ModelArts.0010", "error_message": "busy"}
TRANSIENT = [429, 500, 502, 503, 504]
LOST = requests.exceptions.ConnectionError("broken")
FIT = {"inputs": "/bucket/data/", "job_name": "j"}
INFO = "/training-jobs/10/versions/20"

# Calls that may be repeated, one of each method.
REPEATABLE = [
    ("get_training_job_version", "GET", INFO),
    ("update_training_job_config", "PUT", "/training-job-configs/c"),
    ("delete_training_job_version", "DELETE", INFO),
]
PATH = {"job_id": 10, "version_id": 20, "config_name": "c"}


def body_of(method: str) -> Optional[dict[str, Any]]:
    return {"config_desc": "d"} if method == "PUT" else None


@pytest.mark.parametrize("status", TRANSIENT)
@pytest.mark.parametrize(("operation", "method", "path"), REPEATABLE)
def test_a_transient_failure_is_retried(
    cloud: Cloud, session: Session, pauses: list[float], operation: str, method: str, path: str, status: int
):
    for _ in range(4):
        cloud.answer(method, path, BUSY, status)
    cloud.answer(method, path, OK)

    response = session.client.call(operation, PATH, body=body_of(method))

    assert response.is_success
    assert cloud.calls == [f"{method} {path}"] * 5
    assert len({bytes(request.body or b"") for request in cloud.requests}) == 1


@pytest.mark.parametrize(("operation", "method", "path"), REPEATABLE)
def test_a_lost_connection_is_retried(
    cloud: Cloud, session: Session, pauses: list[float], operation: str, method: str, path: str
):
    cloud.answer(method, path, LOST)
    cloud.answer(method, path, requests.exceptions.ReadTimeout("slow"))
    cloud.answer(method, path, OK)

    assert session.client.call(operation, PATH, body=body_of(method)).is_success
    assert len(pauses) == 2


def test_pauses_grow_and_vary_and_end_with_the_fifth_attempt(cloud: Cloud, session: Session, pauses: list[float]):
    cloud.answer("GET", INFO, BUSY, 503)

    response = session.client.call("get_training_job_version", PATH)

    assert (response.is_success, response.error_msg) == (False, "busy")
    assert len(cloud.requests) == 5
    assert [longest / 2 <= pause <= longest for pause, longest in zip(pauses, (0.2, 0.4, 0.8, 1.6))] == [True] * 4


def test_pauses_differ_between_clients(cloud: Cloud, session: Session, pauses: list[float]):
    cloud.answer("GET", INFO, BUSY, 503)

    for _ in range(5):
        session.client.call("get_training_job_version", PATH)

    assert len(set(pauses[::4])) > 1


def test_a_lost_connection_raises_after_the_fifth_attempt(cloud: Cloud, session: Session):
    cloud.answer("GET", INFO, LOST)

    with pytest.raises(ConnectionFailed, match="the connection was lost") as caught:
        session.client.call("get_training_job_version", PATH)

    assert len(cloud.requests) == 5
    assert (caught.value.method, caught.value.url) == ("GET", BASE + INFO)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 501])
def test_a_permanent_error_is_not_retried(cloud: Cloud, session: Session, status: int):
    cloud.answer("GET", INFO, BUSY, status)

    with pytest.raises(ApiError):
        session.client.call("get_training_job_version", PATH, raise_on_error=True)

    assert len(cloud.requests) == 1


LOOK_UPS: dict[str, Any] = {
    "/training-jobs": ("/training-jobs", {"is_success": True, "jobs": []}),
    "/training-jobs/10/versions": ("/training-jobs/10/versions", {"is_success": True, "versions": []}),
    "/training-job-configs": ("/training-job-configs/c", {"error_code": "ModelArts.0105", "error_msg": "none"}, 404),
}


@pytest.mark.parametrize("status", TRANSIENT)
@pytest.mark.parametrize("path", ["/training-jobs", "/training-jobs/10/versions", "/training-job-configs"])
def test_a_creating_call_with_a_reply_is_never_repeated(cloud: Cloud, session: Session, path: str, status: int):
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", path, BUSY, status)
    if status >= 500:  # it may have been carried out all the same: somebody looks
        cloud.answer("GET", *LOOK_UPS[path])
    estimator = cloud_estimator(session)

    # Of a gateway that gave up it stays unknown what the service is doing.
    with pytest.raises(OutcomeUnknown if status in (502, 504) else ApiError, match="busy"):
        if path == "/training-jobs":
            estimator.fit(**FIT)
        elif path == "/training-job-configs":
            estimator.create_job_configs(config_name="c")
        else:
            estimator.create_job_version(10, 20, inputs="/bucket/data/")

    assert cloud.calls.count(f"POST {path}") == 1


# --- Retry-After


def http_date(seconds: float) -> str:
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


# Numbers are seconds from the moment of the test, asked for as a date.
WAITS = [("7", 7, 7), ("600", 60, 60), (30, 1, 30), (6000, 60, 60)]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("value", "least", "most"), WAITS, ids=["seconds", "too long", "date", "far date"])
def test_retry_after_is_honoured_up_to_a_minute(
    cloud: Cloud, session: Session, pauses: list[float], status: int, value: str | float, least: float, most: float
):
    asked = value if isinstance(value, str) else http_date(value)
    cloud.answer("GET", INFO, BUSY, status, headers={"Retry-After": asked})
    cloud.answer("GET", INFO, OK)

    session.client.call("get_training_job_version", PATH)

    (pause,) = pauses
    assert least <= pause <= most


@pytest.mark.parametrize("value", ["0", "-5", "soon", "", -3600])
def test_an_invalid_retry_after_means_the_usual_pause(
    cloud: Cloud, session: Session, pauses: list[float], value: str | int
):
    retry_after = value if isinstance(value, str) else http_date(value)
    cloud.answer("GET", INFO, BUSY, 503, headers={"Retry-After": retry_after})
    cloud.answer("GET", INFO, OK)

    session.client.call("get_training_job_version", PATH)

    (pause,) = pauses
    assert 0.1 <= pause <= 0.2


# --- redirects, time-outs, signatures


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["https://elsewhere.example/", BASE + "/training-jobs/11/versions/20"])
def test_a_redirect_is_not_followed(cloud: Cloud, session: Session, status: int, place: str):
    cloud.answer("GET", INFO, b"moved", status, headers={"Location": place})

    with pytest.raises(BadReply, match=f"HTTP {status}"):
        session.client.call("get_training_job_version", PATH)

    assert cloud.calls == [f"GET {INFO}"]


def timeouts(cloud: Cloud) -> set[Any]:
    return {request.req_kwargs["timeout"] for request in cloud.requests}  # type: ignore[attr-defined]


def test_every_request_has_timeouts(cloud: Cloud, session: Session):
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", "/training-jobs", MADE)
    cloud.answer("GET", INFO, LOST)
    cloud.answer("GET", INFO, {**OK, "status": 10})

    cloud_estimator(session).fit(**FIT)
    session.client.call("get_training_job_version", PATH)

    assert len(cloud.requests) == 5
    assert timeouts(cloud) == {(10.0, 60.0)}


def test_timeouts_are_settings(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODELARTS_CONNECT_TIMEOUT", "3")
    monkeypatch.setenv("MODELARTS_READ_TIMEOUT", "4.5")
    cloud.answer("GET", INFO, OK)

    with cloud_session() as session:
        session.client.call("get_training_job_version", PATH)

    assert timeouts(cloud) == {(3.0, 4.5)}


def test_each_attempt_has_its_own_signature(cloud: Cloud, session: Session, monkeypatch: pytest.MonkeyPatch):
    class Clock:
        moment = datetime(2026, 11, 21, 12, 0, 0, tzinfo=timezone.utc)

        @classmethod
        def now(cls, zone: tzinfo) -> datetime:
            cls.moment += timedelta(minutes=10)
            return cls.moment.astimezone(zone)

    monkeypatch.setattr(signing, "datetime", Clock)
    cloud.answer("GET", INFO, BUSY, 503)
    cloud.answer("GET", INFO, LOST)
    cloud.answer("GET", INFO, OK)

    session.client.call("get_training_job_version", PATH)

    dates = [request.headers["X-Sdk-Date"] for request in cloud.requests]
    assert dates == ["20261121T121000Z", "20261121T122000Z", "20261121T123000Z"]
    assert len({request.headers["Authorization"] for request in cloud.requests}) == 3
