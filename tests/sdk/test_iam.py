"""Logging in with a password: one token for many calls and threads, renewed in time and after a 401."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import responses
from support.cloud import BASE, PROJECT

from modelarts._auth import AkSkAuth, Endpoint
from modelarts._http import Client
from modelarts._iam import PasswordAuth, project_of
from modelarts._sending import Sending
from modelarts._transport import Transport
from modelarts.errors import AuthError, BadReply, ConfigError

IAM = "https://iam.cn-north-4.myhuaweicloud.com"
TOKENS, KEYS, PROJECTS = f"{IAM}/v3/auth/tokens", f"{IAM}/v3.0/OS-CREDENTIAL/securitytokens", f"{IAM}/v3/projects"
PASSWORD = "correct horse"


class Iam:
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
    return PasswordAuth(Transport(Sending()), IAM, account, "user", PASSWORD, "cn-north-4")


def client(auth: PasswordAuth) -> Client:
    return Client(Endpoint("https://modelarts.cn-north-4.myhuaweicloud.com", auth, PROJECT), Transport(Sending()))


def test_a_login_is_as_documented_and_serves_many_calls(mock):
    iam = Iam(mock)
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
    iam = Iam(mock)

    assert password_auth(account="").project_id == PROJECT

    assert iam.logins[0]["auth"]["identity"]["password"]["user"]["domain"] == {"name": "user"}


def test_a_token_is_renewed_before_it_ends(mock):
    iam = Iam(mock, lifetime=-1)
    mock.get(f"{BASE}/job/ai-engines", json={"is_success": True, "engines": []})
    calls = client(password_auth())

    for _ in range(2):
        calls.call("list_job_engines")

    assert len(iam.logins) == 2


def test_a_401_renews_the_token_once_and_repeats_the_call(mock):
    iam = Iam(mock)
    refused = {"is_success": False, "error_code": "ModelArts.0202", "error_message": "token expired"}
    mock.get(f"{BASE}/job/ai-engines", json=refused, status=401)
    mock.get(f"{BASE}/job/ai-engines", json={"is_success": True, "engines": []})

    assert client(password_auth()).call("list_job_engines").is_success

    assert len(iam.logins) == 2


def test_a_401_that_lasts_is_an_error_after_one_renewal(mock):
    iam = Iam(mock)
    refused = {"is_success": False, "error_code": "ModelArts.0203", "error_message": "token invalid"}
    mock.get(f"{BASE}/job/ai-engines", json=refused, status=401)

    with pytest.raises(AuthError, match="token invalid"):
        client(password_auth()).call("list_job_engines")

    assert len(iam.logins) == 2


def test_many_threads_share_one_login(mock):
    iam = Iam(mock)
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
    iam = Iam(mock)
    iam.hand_out_keys()
    auth = password_auth()

    assert (auth.keys().access_key, auth.keys().access_key) == ("AK1", "AK1")

    iam.lifetime = -1
    assert [password.keys().access_key for password in [password_auth()] for _ in range(2)] == ["AK2", "AK3"]
    assert iam.fetched[0] == "token-1"


def test_a_wrong_password_is_told_without_telling_it(mock):
    mock.post(TOKENS, status=401, json={"error": {"code": 401, "message": "The username or password is wrong."}})

    with pytest.raises(AuthError, match="IAM refused: The username or password is wrong") as caught:
        password_auth().apply("GET", BASE, {}, b"")

    assert PASSWORD not in str(caught.value) + repr(caught.value) + repr(password_auth())


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"token": {}}'])
def test_what_is_no_answer_of_iam_is_told(mock, body):
    mock.post(TOKENS, status=201, body=body)

    with pytest.raises(BadReply, match="IAM"):
        password_auth().apply("GET", BASE, {}, b"")


def test_a_project_is_found_by_its_region(mock):
    mock.get(PROJECTS, json={"projects": [{"id": "p1", "name": "cn-north-1"}, {"id": "p4", "name": "cn-north-4"}]})

    assert project_of(Transport(Sending()), IAM, AkSkAuth("AK", "SK"), "cn-north-4") == "p4"
    assert "SDK-HMAC-SHA256 Access=AK" in mock.calls[0].request.headers["Authorization"]


@pytest.mark.parametrize("names", [[], ["cn-north-4", "cn-north-4"]])
def test_no_project_or_several_are_told(mock, names):
    mock.get(PROJECTS, json={"projects": [{"id": "p", "name": name} for name in names]})

    with pytest.raises(ConfigError, match=f"the account has {len(names)} projects named 'cn-north-4'"):
        project_of(Transport(Sending()), IAM, AkSkAuth("AK", "SK"), "cn-north-4")
