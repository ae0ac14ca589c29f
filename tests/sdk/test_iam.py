"""Logging in with a password: one token for many calls and threads, renewed in time and after a 401."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import responses

from modelarts._api.client import Client
from modelarts._api.endpoint import Endpoint
from modelarts._auth import iam as auth_iam
from modelarts._auth.iam import Iam
from modelarts._auth.password import PasswordAuth
from modelarts._auth.signing import AkSkAuth
from modelarts._transport import response, transport
from modelarts._transport.options import TransportOptions
from modelarts._transport.transport import Transport
from modelarts.errors import AuthError, BadReply, ConfigError, ConnectionFailed, NotFound, Throttled, Unavailable
from tests.support.cloud import BASE, PROJECT
from tests.support.jobs import until

IAM = "https://iam.cn-north-4.myhuaweicloud.com"
TOKENS, KEYS, PROJECTS = f"{IAM}/v3/auth/tokens", f"{IAM}/v3.0/OS-CREDENTIAL/securitytokens", f"{IAM}/v3/projects"
PASSWORD = "correct horse"


class FakedIam:
    """A faked IAM that numbers what it hands out."""

    def __init__(self, mock: responses.RequestsMock, lifetime: float = 86_400) -> None:
        self.lifetime = lifetime
        self.logins: list[Any] = []
        self.fetched: list[str] = []
        self.mock = mock
        mock.add_callback(responses.POST, TOKENS, self._log_in)

    def hand_out_keys(self) -> None:
        self.mock.add_callback(responses.POST, KEYS, self._keys)

    def _ends(self) -> str:
        return (datetime.now(timezone.utc) + timedelta(seconds=self.lifetime)).isoformat().replace("+00:00", "Z")

    def _log_in(self, request: Any) -> Any:
        self.logins.append(json.loads(request.body))
        body = {"token": {"expires_at": self._ends(), "project": {"id": PROJECT}}}
        return 201, {"X-Subject-Token": f"token-{len(self.logins)}"}, json.dumps(body)

    def _keys(self, request: Any) -> Any:
        self.fetched.append(request.headers["X-Auth-Token"])
        number = len(self.fetched)
        keys = {"access": f"AK{number}", "secret": f"SK{number}", "securitytoken": "ST"}
        credential = {**keys, "expires_at": self._ends()}
        return 201, {}, json.dumps({"credential": credential})


@pytest.fixture
def mock():
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        yield mock


def password_auth(account: str = "company") -> PasswordAuth:
    return PasswordAuth(Iam(Transport(TransportOptions()), IAM), account, "user", PASSWORD, "cn-north-4")


def client(auth: PasswordAuth) -> Client:
    endpoint = Endpoint("https://modelarts.cn-north-4.myhuaweicloud.com", auth, PROJECT)
    return Client(endpoint, Transport(TransportOptions()))


def test_one_documented_login_is_used_for_many_calls(mock):
    iam = FakedIam(mock)
    mock.get(f"{BASE}/job/ai-engines", json={"is_success": True, "engines": []})
    calls = client(password_auth())

    for _ in range(3):
        calls.call("list_job_engines")

    user = {"name": "user", "password": PASSWORD, "domain": {"name": "company"}}
    scope = {"project": {"domain": {"name": "company"}, "name": "cn-north-4"}}
    assert iam.logins == [
        {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    ]
    assert [call.request.headers.get("X-Auth-Token") for call in mock.calls][1:] == ["token-1"] * 3


def test_without_an_account_the_user_is_the_account(mock):
    iam = FakedIam(mock)

    assert password_auth(account="").project_id == PROJECT

    assert iam.logins[0]["auth"]["identity"]["password"]["user"]["domain"] == {"name": "user"}


def test_a_token_is_renewed_before_it_expires(mock):
    iam = FakedIam(mock, lifetime=-1)
    mock.get(f"{BASE}/job/ai-engines", json={"is_success": True, "engines": []})
    calls = client(password_auth())

    for _ in range(2):
        calls.call("list_job_engines")

    assert len(iam.logins) == 2


def test_a_401_renews_the_token_once_and_repeats_the_call(mock):
    iam = FakedIam(mock)
    refused = {"is_success": False, "error_code": "ModelArts.0202", "error_message": "token expired"}
    mock.get(f"{BASE}/job/ai-engines", json=refused, status=401)
    mock.get(f"{BASE}/job/ai-engines", json={"is_success": True, "engines": []})

    assert client(password_auth()).call("list_job_engines").is_success

    assert len(iam.logins) == 2


def test_a_401_that_lasts_is_an_error_after_one_renewal(mock):
    iam = FakedIam(mock)
    refused = {"is_success": False, "error_code": "ModelArts.0203", "error_message": "token invalid"}
    mock.get(f"{BASE}/job/ai-engines", json=refused, status=401)

    with pytest.raises(AuthError, match="token invalid"):
        client(password_auth()).call("list_job_engines")

    assert len(iam.logins) == 2


def test_many_threads_share_one_login(mock):
    iam = FakedIam(mock)
    auth = password_auth()
    together = threading.Barrier(16)
    tokens = []

    def apply() -> None:
        headers: dict[str, str] = {}
        together.wait(10)
        auth.apply("GET", BASE, headers, b"")
        tokens.append(headers["X-Auth-Token"])

    threads = [threading.Thread(target=apply) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (tokens, len(iam.logins)) == (["token-1"] * 16, 1)


def test_temporary_keys_are_fetched_once_and_renewed(mock):
    iam = FakedIam(mock)
    iam.hand_out_keys()
    auth = password_auth()

    assert (auth.keys().access_key, auth.keys().access_key) == ("AK1", "AK1")

    iam.lifetime = -1
    assert [password.keys().access_key for password in [password_auth()] for _ in range(2)] == ["AK2", "AK3"]
    assert iam.fetched[0] == "token-1"


def test_temporary_keys_that_obs_refuses_are_renewed(mock):
    iam = FakedIam(mock)
    iam.hand_out_keys()
    auth = password_auth()
    refused = auth.keys()

    assert [auth.keys(refused).access_key, auth.keys(refused).access_key, auth.keys().access_key] == ["AK2"] * 3
    assert len(iam.logins) == 1


def test_temporary_keys_outlive_a_token_that_was_revoked(mock):
    iam = FakedIam(mock)
    auth = password_auth()
    mock.post(KEYS, status=401, json={"error": {"code": 401, "message": "token revoked"}})
    iam.hand_out_keys()

    assert auth.keys().access_key == "AK1"
    assert (len(iam.logins), iam.fetched) == (2, ["token-2"])


def test_a_valid_token_is_used_while_iam_is_unavailable(mock, monkeypatch, caplog):
    monkeypatch.setattr(transport, "_FIRST_PAUSE", 0.001)
    auth = password_auth()
    FakedIam(mock, lifetime=100)
    assert auth.project_id == PROJECT
    monkeypatch.setattr(auth_iam, "_now", lambda: datetime.now(timezone.utc) + timedelta(seconds=95))
    mock.replace(responses.POST, TOKENS, status=503, json={"error": {"code": 503, "message": "maintenance"}})

    for _ in range(3):
        headers: dict[str, str] = {}
        auth.apply("GET", BASE, headers, b"")
        assert headers["X-Auth-Token"] == "token-1"
    assert "maintenance" in caplog.text and "using the present credential, which is valid until" in caplog.text
    assert len(mock.calls) == 1 + 5  # the three calls asked once, with its repeats

    monkeypatch.setattr(auth_iam, "_now", lambda: datetime.now(timezone.utc) + timedelta(seconds=101))
    with pytest.raises(Unavailable, match="maintenance"):
        auth.apply("GET", BASE, {}, b"")


def test_many_threads_try_a_wrong_password_once(mock):
    together = threading.Barrier(16)

    def refuse(_: Any) -> Any:
        time.sleep(0.2)  # the others come to wait
        return 401, {}, json.dumps({"error": {"code": 401, "message": "The username or password is wrong."}})

    mock.add_callback(responses.POST, TOKENS, refuse)
    auth, errors = password_auth(), []

    def apply() -> None:
        together.wait(10)
        try:
            auth.apply("GET", BASE, {}, b"")
        except AuthError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=apply) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(errors), len(set(errors)), len(mock.calls)) == (16, 1, 1)


@pytest.mark.parametrize("off", [25, -25])
def test_a_wrong_clock_of_this_machine_costs_no_login(mock, monkeypatch, off: int):
    real = datetime.now(timezone.utc)
    monkeypatch.setattr(auth_iam, "_now", lambda: datetime.now(timezone.utc) + timedelta(hours=off))
    monkeypatch.setattr(response, "time", SimpleNamespace(time=lambda: time.time() + off * 3600))
    body = {"token": {"expires_at": (real + timedelta(hours=24)).isoformat(), "project": {"id": PROJECT}}}
    mock.post(TOKENS, status=201, json=body, headers={"X-Subject-Token": "t", "Date": format_datetime(real)})
    auth = password_auth()

    for _ in range(3):
        auth.apply("GET", BASE, {}, b"")
    assert len(mock.calls) == 1

    monkeypatch.setattr(auth_iam, "_now", lambda: datetime.now(timezone.utc) + timedelta(hours=off + 24))
    auth.apply("GET", BASE, {}, b"")
    assert len(mock.calls) == 2


@pytest.mark.parametrize("part", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("lifetime", [2.0, 5.0, 100.0])
def test_an_expired_token_is_never_used(mock, monkeypatch, lifetime: float, part: float):
    """However late in its second a reply was made: `Date` tells no parts of them."""
    begun = datetime.now(timezone.utc).replace(microsecond=0)
    now = begun + timedelta(seconds=part)
    monkeypatch.setattr(auth_iam, "_now", lambda: now)
    monkeypatch.setattr(response, "time", SimpleNamespace(time=lambda: now.timestamp()))
    body = {"token": {"expires_at": (now + timedelta(seconds=lifetime)).isoformat(), "project": {"id": PROJECT}}}
    mock.post(TOKENS, status=201, json=body, headers={"X-Subject-Token": "t", "Date": format_datetime(begun)})
    auth = password_auth()
    auth.apply("GET", BASE, {}, b"")

    now += timedelta(seconds=lifetime / 5)
    auth.apply("GET", BASE, {}, b"")
    assert len(mock.calls) == 1
    now += timedelta(seconds=lifetime / 5 * 4)
    auth.apply("GET", BASE, {}, b"")
    assert len(mock.calls) == 2


def test_waiting_for_the_login_of_another_thread_ends_with_the_call(mock):
    slow = threading.Event()

    def refuse(_: Any) -> Any:
        slow.wait(10)
        return 401, {}, json.dumps(NESTED)

    mock.add_callback(responses.POST, TOKENS, refuse)
    transport = Transport(TransportOptions())
    auth = PasswordAuth(Iam(transport, IAM), "company", "user", PASSWORD, "cn-north-4")
    first = threading.Thread(target=_quietly, args=(auth,))
    first.start()
    until(auth._token._lock.locked)

    with transport.call(TransportOptions(total_timeout=0.2)), pytest.raises(ConnectionFailed, match="no login in time"):
        auth.apply("GET", BASE, {}, b"")

    slow.set()
    first.join()


def _quietly(auth: PasswordAuth) -> None:
    with contextlib.suppress(AuthError):
        auth.apply("GET", BASE, {}, b"")


GATEWAY = {"error_code": "APIGW.0301", "error_msg": "Incorrect IAM authentication information", "request_id": "r-1"}
NESTED = {"error": {"code": 401, "message": "no such user", "title": "Unauthorized"}}


@pytest.mark.parametrize(("status", "body", "kind", "words"), [
    (401, GATEWAY, AuthError, "APIGW.0301: Incorrect IAM authentication information. Check account, username"),
    (401, NESTED, AuthError, "401: no such user. Check account, username, password and region_name"),
    (404, {"error": {"message": "Could not find project: x."}}, NotFound,
     "Could not find project: x. Check account and region_name, and iam_endpoint: the address of IAM, without a path"),
    (429, {"error": {"code": 429, "message": "slow down"}}, Throttled, "429: slow down. Wait a moment"),
    (503, {"error_code": "IAM.0011", "error_msg": "ill"}, Unavailable, "IAM.0011: ill. The service failed: call"),
])  # fmt: skip
def test_an_error_of_iam_keeps_its_code_and_message(mock, monkeypatch, status, body, kind, words):
    monkeypatch.setattr(transport, "_FIRST_PAUSE", 0.001)
    mock.post(TOKENS, status=status, json=body)

    with pytest.raises(kind) as caught:
        password_auth().apply("GET", BASE, {}, b"")

    assert words in str(caught.value)
    assert caught.value.request_id == body.get("request_id", "")


def test_a_project_look_up_that_fails_for_the_clock_says_how_wrong_it_is(mock):
    date = format_datetime(datetime.now(timezone.utc) + timedelta(minutes=20), usegmt=True)
    mock.get(PROJECTS, status=401, json=GATEWAY, headers={"Date": date})

    with pytest.raises(AuthError, match=r"clock is (20 min|19 min 5\d s) .*behind the service's"):
        Iam(Transport(TransportOptions()), IAM).project_of(AkSkAuth("AK", "SK"), "cn-north-4")


@pytest.mark.parametrize(("language", "words"), [
    ("en", "Check access_key and secret_key, with the security_token of temporary ones, region_name, and what"),
    ("zh", "请检查 access_key、secret_key（临时密钥还需 security_token）、region_name"),
])  # fmt: skip
def test_a_refused_project_look_up_names_all_possible_causes(mock, monkeypatch, language, words):
    monkeypatch.setenv("MODELARTS_LANG", language)
    mock.get(PROJECTS, status=401, json=GATEWAY)

    with pytest.raises(AuthError) as caught:
        Iam(Transport(TransportOptions()), IAM).project_of(AkSkAuth("AK", "SK"), "cn-north-4")

    assert words in str(caught.value)


@pytest.mark.parametrize(("language", "words"), [
    ("en", "iam_endpoint: the address of IAM, without a path such as /v3"),
    ("zh", "iam_endpoint：它是 IAM 的地址，不含 /v3 之类的路径"),
])  # fmt: skip
def test_a_wrong_path_in_the_iam_endpoint_is_reported(mock, monkeypatch, language, words):
    monkeypatch.setenv("MODELARTS_LANG", language)
    missing = {"error": {"code": 404, "message": "The requested URL was not found"}}
    mock.post(f"{IAM}/v3/v3/auth/tokens", status=404, json=missing)
    mock.get(f"{IAM}/v3/v3/projects", status=404, json=missing)
    iam = Iam(Transport(TransportOptions()), f"{IAM}/v3")

    for ask in (lambda: iam.log_in("a", "u", PASSWORD, "r"), lambda: iam.project_of(AkSkAuth("AK", "SK"), "r")):
        with pytest.raises(NotFound) as caught:
            ask()
        assert words in str(caught.value)


def test_a_login_without_a_reply_is_a_failed_connection(mock):
    """Not even before a creating call: that was never sent."""
    mock.post(TOKENS, body=requests.ReadTimeout("slow"))

    with pytest.raises(ConnectionFailed, match="no reply in time") as caught:
        client(password_auth()).call("create_training_job", body={})

    assert type(caught.value) is ConnectionFailed


def test_a_wrong_password_is_not_shown(mock):
    mock.post(TOKENS, status=401, json={"error": {"code": 401, "message": "The username or password is wrong."}})

    with pytest.raises(AuthError, match="The username or password is wrong") as caught:
        password_auth().apply("GET", BASE, {}, b"")

    assert PASSWORD not in str(caught.value) + repr(caught.value) + repr(password_auth())


@pytest.mark.parametrize("body", [
    "<html>", "[]", "{}", '{"token": {}}', '{"token": []}', '{"token": null}', '{"token": {"project": 1}}',
])  # fmt: skip
def test_a_reply_that_is_not_one_of_iam_is_reported(mock, body):
    mock.post(TOKENS, status=201, body=body)

    with pytest.raises(BadReply, match="IAM"):
        password_auth().apply("GET", BASE, {}, b"")


def test_a_project_is_found_by_its_region(mock):
    mock.get(PROJECTS, json={"projects": [{"id": "p1", "name": "cn-north-1"}, {"id": "p4", "name": "cn-north-4"}]})

    assert Iam(Transport(TransportOptions()), IAM).project_of(AkSkAuth("AK", "SK"), "cn-north-4") == "p4"
    assert "SDK-HMAC-SHA256 Access=AK" in mock.calls[0].request.headers["Authorization"]


@pytest.mark.parametrize("names", [[], ["cn-north-4", "cn-north-4"]])
def test_no_project_or_several_are_reported(mock, names):
    mock.get(PROJECTS, json={"projects": [{"id": "p", "name": name} for name in names]})

    with pytest.raises(ConfigError, match=f"the account has {len(names)} projects named 'cn-north-4'"):
        Iam(Transport(TransportOptions()), IAM).project_of(AkSkAuth("AK", "SK"), "cn-north-4")


@pytest.mark.parametrize("body", ['{"projects": null}', '{"projects": [1]}', '{"projects": [{"name": "cn-north-4"}]}'])
def test_invalid_projects_are_reported(mock, body):
    mock.get(PROJECTS, body=body)

    with pytest.raises(BadReply, match="a body that is not an IAM reply"):
        Iam(Transport(TransportOptions()), IAM).project_of(AkSkAuth("AK", "SK"), "cn-north-4")


@pytest.mark.parametrize("body", ['{"credential": null}', '{"credential": {}}', '{"credential": {"access": 1}}'])
def test_invalid_temporary_keys_are_reported(mock, body):
    FakedIam(mock)
    mock.post(KEYS, status=201, body=body)

    with pytest.raises(BadReply, match="a body that is not an IAM reply"):
        password_auth().keys()
