"""A creating call never creates twice, even if its reply is lost; with real sockets, as their failures matter."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from typing import Any

import pytest
import requests
import responses

from modelarts._submit import idempotent_create
from modelarts._submit.v1 import payload
from modelarts.errors import ConnectionFailed, OutcomeUnknown, Unavailable
from modelarts.estimator import Estimator
from modelarts.session import Session
from modelarts.visualization import VisualizationJob
from tests.support.cloud import BASE, MADE, SPECS, Cloud, cloud_estimator, cloud_session
from tests.support.jobs import until
from tests.support.raw_server import RESET, SILENCE, RawServer, reply

FIT = {"inputs": "/bucket/data/", "job_name": "digits"}
NEW = 4_102_444_800_000  # created after any test began
JOB = {"job_id": 10, "job_name": "digits", "version_id": 20, "status": 1, "create_time": NEW}
OTHER = {"job_id": 9, "job_name": "digits-2", "version_id": 19, "status": 10}
NONE = {"is_success": False, "error_code": "ModelArts.0105", "error_message": "no such configuration"}
POST_JOB, POST_VERSION, POST_CONFIG = (
    f"POST /{path}" for path in ("training-jobs", "training-jobs/10/versions", "training-job-configs")
)
LIST_JOBS, GET_CONFIG = "GET /training-jobs", "GET /training-job-configs/c"
LIST_VERSIONS = "GET /training-jobs/10/versions"
INFO = f"{LIST_VERSIONS}/20"
AGAIN = "nothing was created as far as can be seen; call again"
LOOK_UPS: dict[str, Any] = {"GET /job/resource-specs": [{"is_success": True, "specs": SPECS}]}


def failed(status: int, body: dict[str, Any]) -> bytes:
    """A complete reply with another status."""
    return reply(body).replace(b"200 OK", f"{status} Failed".encode(), 1)


def at(url: str, **changes: Any) -> Session:
    """A session on a service at a loopback address."""
    Session.set_endpoint("iam", "obs", url, region_name="here")
    return cloud_session(region_name="here", **changes)


@contextmanager
def service(script: dict[str, Any], keep_alive: bool = False, **changes: Any) -> Iterator[tuple[RawServer, Session]]:
    """A service that follows a script, and a session on it."""
    with RawServer({**LOOK_UPS, **script}, keep_alive) as server, at(server.url, **changes) as session:
        yield server, session


def estimator(session: Session) -> Estimator:
    return cloud_estimator(session, user_image_url="1.2.3.4/a:b", user_command="bash x")


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address without a listener."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


# --- the reply is lost


def listed(*jobs: dict[str, Any]) -> dict[str, Any]:
    return {"is_success": True, "job_total_count": len(jobs), "jobs": list(jobs)}


@pytest.mark.parametrize("lost", [RESET, SILENCE, reply(MADE)[:-10]], ids=["reset", "silence", "cut off"])
def test_a_job_whose_reply_is_lost_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch, lost: Any):
    monkeypatch.setenv("MODELARTS_READ_TIMEOUT", "0.3")
    with service({POST_JOB: [lost], LIST_JOBS: [listed(OTHER, JOB)]}) as (server, session):
        job = estimator(session).fit(**FIT)

    assert (job.job_id, job.version_id, job.job_name) == (10, 20, "digits")
    assert server.calls == ["GET /job/resource-specs", POST_JOB, LIST_JOBS]


@pytest.mark.parametrize("strict", [False, True])
def test_a_configuration_whose_reply_is_lost_is_found_by_its_name(strict: bool):
    found = {"is_success": True, "config_name": "c", "create_time": NEW}
    with service({POST_CONFIG: [RESET], GET_CONFIG: [found]}, strict=strict) as (server, session):
        created = estimator(session).create_job_configs(config_name="c")

    assert created.config_name == "c"
    assert server.calls == ["GET /job/resource-specs", POST_CONFIG, GET_CONFIG]


@pytest.mark.parametrize("strict", [False, True])
def test_a_job_that_is_not_found_is_reported_and_not_sent_again(strict: bool):
    script = {POST_JOB: [RESET], LIST_JOBS: [listed(OTHER)]}
    with service(script, strict=strict) as (server, session), pytest.raises(OutcomeUnknown, match=AGAIN) as caught:
        estimator(session).fit(**FIT)

    assert caught.value.method == "POST"
    assert server.calls.count(POST_JOB) == 1


@pytest.mark.parametrize("strict", [False, True])
def test_a_configuration_that_is_not_found_is_reported_and_not_sent_again(strict: bool):
    script = {POST_CONFIG: [RESET], GET_CONFIG: [NONE]}
    with service(script, strict=strict) as (server, session), pytest.raises(OutcomeUnknown, match=AGAIN) as caught:
        estimator(session).create_job_configs(config_name="c")

    assert caught.value.method == "POST"
    assert server.calls.count(POST_CONFIG) == 1


def test_the_outcome_is_unknown_if_the_lookup_fails_too(pauses: list[float]):
    script = {POST_JOB: [RESET], LIST_JOBS: [RESET]}
    with service(script) as (server, session), pytest.raises(OutcomeUnknown, match="digits"):
        estimator(session).fit(**FIT)

    assert server.calls.count(POST_JOB) == 1


# --- replies without what was created


BAD_REPLIES: dict[str, bytes] = {
    "an empty object": reply({}),
    "an object of another service": reply({"login": "required"}),
    "a success without ids": reply({"is_success": True}),
    "204": b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    "408": b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "502 of a gateway": failed(502, {"error_code": "APIGW.0201", "error_msg": "Backend timeout."}),
    "504 of a gateway": failed(504, {"error_code": "APIGW.0201", "error_msg": "Backend timeout."}),
    "500 of the service": failed(500, {"is_success": False, "error_code": "ModelArts.0010", "error_message": "ill"}),
    "503 with HTML": b"HTTP/1.1 503 Unavailable\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>",
    "deep JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\nConnection: close\r\n\r\n" + b"[" * 200_000,
    "a chunk of negative size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n-5\r\n",
}


@pytest.mark.parametrize("body", BAD_REPLIES.values(), ids=BAD_REPLIES)
def test_a_job_that_was_created_despite_a_bad_reply_is_found(body: bytes):
    with service({POST_JOB: [body], LIST_JOBS: [listed(OTHER, JOB)]}) as (server, session):
        job = estimator(session).fit(**FIT)

    assert (job.job_id, job.version_id) == (10, 20)
    assert server.calls == ["GET /job/resource-specs", POST_JOB, LIST_JOBS]


def test_a_failure_is_raised_if_nothing_was_created():
    ill = failed(500, {"is_success": False, "error_code": "ModelArts.0010", "error_message": "ill"})
    with service({POST_JOB: [ill], LIST_JOBS: [listed(OTHER)]}) as (server, session), pytest.raises(
        Unavailable, match=r"ModelArts.0010: ill\. The service failed: call again later"
    ):
        estimator(session).fit(**FIT)

    assert server.calls.count(LIST_JOBS) == 3


@pytest.mark.parametrize("status", [408, 502, 504])
def test_after_a_gateway_time_out_the_outcome_is_unknown(status: int):
    late = failed(status, {"error_code": "APIGW.0201", "error_msg": "Backend timeout."})
    with service({POST_JOB: [late], LIST_JOBS: [listed(OTHER)]}) as (_, session), pytest.raises(
        OutcomeUnknown, match=r"APIGW.0201: Backend timeout.*which is refused if it exists after all"
    ):
        estimator(session).fit(inputs="/bucket/data/")


@pytest.mark.parametrize(("rate", "mine"), [("0.1", True), ("0.2", False)])
def test_jobs_that_share_a_generated_name_are_told_apart_by_their_parameters(
    monkeypatch: pytest.MonkeyPatch, rate: str, mine: bool
):
    monkeypatch.setattr(payload.time, "strftime", lambda *_: "1121-080000")
    info = {"is_success": True, "status": 1, "parameter": [{"label": "lr", "value": rate}]}
    script = {POST_JOB: [RESET], LIST_JOBS: [listed({**JOB, "job_name": "job-1121-080000"})], INFO: [info]}
    with service(script) as (_, session):
        maker = cloud_estimator(session, user_image_url="1.2.3.4/a:b", user_command="x", hyperparameters={"lr": 0.1})
        if mine:
            assert maker.fit(inputs="/bucket/data/").job_id == 10
        else:
            with pytest.raises(OutcomeUnknown, match="with other parameters, perhaps of another process: look at it"):
                maker.fit(inputs="/bucket/data/")


def test_a_login_that_fails_before_a_creating_call_is_no_lost_reply(cloud: Cloud, pauses: list[float]):
    iam = "https://iam.cn-north-4.myhuaweicloud.com/v3/auth/tokens"
    cloud.faked.post(iam, json={"error": {"code": 503, "message": "maintenance"}}, status=503)
    with cloud_session(access_key=None, secret_key=None, username="me", password="p") as session, pytest.raises(
        Unavailable, match="maintenance"
    ):
        idempotent_create.create_job(session.client, {"job_name": "digits"})


def test_a_list_that_lags_behind_is_read_again():
    script = {POST_JOB: [RESET], LIST_JOBS: [listed(OTHER), listed(OTHER), listed(OTHER, JOB)]}
    with service(script) as (server, session):
        job = estimator(session).fit(**FIT)

    assert job.job_id == 10
    assert server.calls.count(LIST_JOBS) == 3


@pytest.mark.parametrize("body", [{}, {"is_success": True}, {"jobs": "none"}, {"jobs": [1]}, {"jobs": {"a": 1}}])
def test_after_a_broken_list_the_outcome_is_unknown(body: dict[str, Any]):
    script = {POST_JOB: [RESET], LIST_JOBS: [body]}
    with service(script) as (_, session), pytest.raises(
        OutcomeUnknown, match=r"Looking up the job named 'digits' failed too .* check whether it exists before you call"
    ):
        estimator(session).fit(**FIT)


@pytest.mark.parametrize(("created", "words"), [
    (None, "There is a job named 'digits' .job_id 10., but its time of creation is unknown"),
    (1_524_189_990_635, "There is a job named 'digits' .job_id 10. that seems to be older than this call: look at it"),
])  # fmt: skip
def test_a_job_that_may_be_of_another_call_is_not_returned(created: int | None, words: str):
    script = {POST_JOB: [RESET], LIST_JOBS: [listed({**JOB, "create_time": created})]}
    with service(script) as (_, session), pytest.raises(OutcomeUnknown, match=words):
        estimator(session).fit(**FIT)


@pytest.mark.parametrize("date", ["", "Date: soon\r\n", "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n"])
def test_without_the_time_of_the_service_no_job_is_returned(date: str):
    bare = re.sub(rb"Date: [^\r]*\r\n", date.encode(), reply(listed(JOB)))
    with service({POST_JOB: [RESET], LIST_JOBS: [bare]}) as (_, session), pytest.raises(
        OutcomeUnknown, match="its time of creation is unknown"
    ):
        estimator(session).fit(**FIT)


def test_a_generated_name_is_reported_so_that_it_can_be_used_again():
    with service({POST_JOB: [RESET], LIST_JOBS: [listed()]}) as (_, session), pytest.raises(
        OutcomeUnknown, match=r"call again with job_name='job-\d{4}-\d{6}', which is refused if it exists after all"
    ):
        estimator(session).fit(inputs="/bucket/data/")


def test_a_job_is_looked_up_in_its_workspace():
    found = {"is_success": True, "jobs": [JOB]}
    wanted = {"search_content": "digits", "per_page": 1000, "workspace_id": "w1"}
    with responses.RequestsMock() as faked, cloud_session() as session:
        faked.post(f"{BASE}/training-jobs", body=requests.ConnectionError("lost"))
        faked.get(f"{BASE}/training-jobs", json=found, headers={"Date": formatdate(usegmt=True)},
                  match=[responses.matchers.query_param_matcher(wanted)])  # fmt: skip

        created = idempotent_create.create_job(session.client, {"job_name": "digits", "workspace_id": "w1"})

    assert created.job_id == 10


def test_ctrl_c_while_a_job_is_created_warns_that_it_may_exist(cloud: Cloud, session: Session, caplog: Any):
    cloud.look_ups("specs", "engines")
    cloud.faked.add_callback("POST", f"{BASE}/training-jobs", interrupted)

    with pytest.raises(KeyboardInterrupt):
        cloud_estimator(session).fit(**FIT)

    assert "interrupted while creating the job named 'digits': check whether it exists" in caplog.text


def interrupted(_: Any) -> Any:
    raise KeyboardInterrupt


# --- through a proxy


@pytest.mark.parametrize("lost", [RESET, b"", reply(MADE)[:-10]], ids=["reset", "closed", "cut off"])
def test_a_job_whose_reply_is_lost_behind_a_proxy_is_found(monkeypatch: pytest.MonkeyPatch, lost: Any):
    """The HTTP library reports this as `Unable to connect to proxy`, too."""
    with RawServer({**LOOK_UPS, POST_JOB: [lost], LIST_JOBS: [listed(JOB)]}) as proxy:
        monkeypatch.setenv("MODELARTS_PROXY", proxy.url)
        with at("http://modelarts.example.com") as session:
            job = estimator(session).fit(**FIT)

    assert job.job_id == 10
    assert proxy.calls == ["GET /job/resource-specs", POST_JOB, LIST_JOBS]


# --- versions, whose names the service gives


def version(number: int, created: float, **changes: Any) -> dict[str, Any]:
    """A row of the list of versions, created so many seconds from now."""
    return {
        "version_id": number, "version_name": f"V000{number}", "pre_version_id": 20, "status": 1,
        "create_time": round((time.time() + created) * 1000), "parameter": [{"label": "lr", "value": "0.1"}], **changes,
    }  # fmt: skip


def versions(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"is_success": True, "job_id": 10, "job_name": "digits", "versions": list(rows)}


def new_version_of_20(session: Session) -> Any:
    maker = cloud_estimator(session, user_image_url="1.2.3.4/a:b", user_command="bash x", hyperparameters={"lr": 0.1})
    return maker.create_job_version(10, 20, inputs="/bucket/data/")


def test_a_version_whose_reply_is_lost_is_found_by_origin_age_and_parameters():
    rows = versions(version(4, 0), version(3, -60), version(2, 0, pre_version_id=19))
    with service({POST_VERSION: [RESET], LIST_VERSIONS: [rows]}) as (server, session):
        job = new_version_of_20(session)

    assert (job.job_id, job.version_id, job.version_name, job.job_name) == (10, 4, "V0004", "digits")
    assert server.calls == ["GET /job/resource-specs", POST_VERSION, LIST_VERSIONS]


@pytest.mark.parametrize(("created", "origin"), [(-60, 20), (0, None), (0, 19)])
def test_a_version_that_is_not_found_is_reported_and_not_sent_again(created: int, origin: int | None):
    script = {POST_VERSION: [RESET], LIST_VERSIONS: [versions(version(3, created, pre_version_id=origin))]}
    with service(script) as (server, session), pytest.raises(OutcomeUnknown, match=f"version derived from 20.*{AGAIN}"):
        new_version_of_20(session)

    assert server.calls.count(POST_VERSION) == 1


@pytest.mark.parametrize("rows", [
    {4: {}, 5: {}},
    {4: {"parameter": [{"label": "lr", "value": "0.2"}]}},
    {4: {"create_time": None}},
])  # fmt: skip
def test_a_version_that_may_be_of_another_call_is_not_returned(rows: dict[int, dict[str, Any]]):
    found = [version(number, 0, **changes) for number, changes in rows.items()]
    script = {POST_VERSION: [RESET], LIST_VERSIONS: [versions(*found)]}
    with service(script) as (_, session), pytest.raises(OutcomeUnknown, match=r"look at V0004 \(version_id 4\)"):
        new_version_of_20(session)


def test_a_visualization_job_whose_reply_is_lost_is_found_by_its_name():
    row = {"job_id": 7, "job_name": "curves", "status": 1, "create_time": NEW}
    with service({"POST /visualization-jobs": [RESET], "GET /visualization-jobs": [listed(row)]}) as (server, session):
        created = VisualizationJob(session).create_visualization_job("/bucket/output/", job_name="curves")

    assert (created.job_id, created.job_name) == (7, "curves")
    assert server.calls == ["POST /visualization-jobs", "GET /visualization-jobs"]


def test_a_stop_whose_reply_is_lost_is_reported_and_not_sent_again():
    stop = "POST /training-jobs/10/versions/20/stop"
    with service({stop: [RESET]}) as (server, session), pytest.raises(ConnectionFailed):
        Estimator(session, job_id=10, version_id=20).stop_job_version()

    assert server.calls == [stop]


# --- the call never reached the service


def test_a_creating_call_without_a_connection_is_repeated_and_then_reported(nowhere: str, pauses: list[float]):
    with at(nowhere) as session, pytest.raises(ConnectionFailed, match="cannot connect to that address") as caught:
        session.client.call("create_training_job", body={})

    assert not isinstance(caught.value, OutcomeUnknown)
    assert len(pauses) == 4


def test_a_creating_call_to_an_unknown_host_is_reported_at_once(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float]
):
    def unresolved(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    address = "http://modelarts.nowhere.example"
    with at(address) as session, pytest.raises(ConnectionFailed, match="Name or service not known") as caught:
        session.client.call("create_training_job", body={})

    assert not isinstance(caught.value, OutcomeUnknown)
    assert pauses == []


def test_a_creating_call_is_sent_once_the_host_name_resolves(monkeypatch: pytest.MonkeyPatch, pauses: list[float]):
    real, failures = socket.getaddrinfo, [1, 2, 3]

    def late(*arguments: Any, **options: Any) -> Any:
        if failures:
            failures.pop()
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(*arguments, **options)

    with service({POST_JOB: [MADE]}) as (server, session):
        monkeypatch.setattr(socket, "getaddrinfo", late)
        created = session.client.call("create_training_job", body={})

    assert created.job_id == 10
    assert server.calls == [POST_JOB]
    assert len(pauses) == 3


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.ConnectTimeout("timed out"),
        requests.exceptions.ProxyError("Cannot connect to proxy."),
        requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed"),
    ],
)
def test_without_a_connection_nothing_was_sent_and_nothing_is_looked_up(
    cloud: Cloud, session: Session, error: requests.exceptions.RequestException
):
    cloud.look_ups("specs")
    cloud.answer("POST", "/training-jobs", error)

    with pytest.raises(ConnectionFailed, match="nothing was sent") as caught:
        estimator(session).fit(**FIT)

    assert not isinstance(caught.value, OutcomeUnknown)
    assert cloud.calls == ["GET /job/resource-specs", POST_JOB]


# --- connections


def test_an_idle_connection_that_the_service_has_closed_is_no_lost_reply():
    with service({POST_JOB: [MADE]}, keep_alive=True) as (server, session):
        session.catalog.load(["specs"])
        until(lambda: server.closed_connections == 1)  # though it had said that it keeps the connection
        job = estimator(session).fit(**FIT)

    assert job.job_id == 10
    assert server.calls == ["GET /job/resource-specs", POST_JOB]


def test_a_reply_that_breaks_off_is_requested_again(pauses: list[float]):
    info = "GET /training-jobs/10/versions/20"
    whole = {"is_success": True, "job_name": "digits"}
    with service({info: [reply(whole)[:-10], whole]}) as (server, session):
        assert Estimator(session, job_id=10, version_id=20).get_job_info().job_name == "digits"

    assert server.calls == [info, info]
