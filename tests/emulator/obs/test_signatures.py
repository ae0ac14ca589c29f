"""Who may read and write buckets: signatures, dates, keys that end."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import attrs
import pytest
import requests

from modelarts._obs.local.buckets import LocalBuckets
from modelarts.errors import ObsError
from modelarts.local import daemon
from modelarts.local.emulator.iam import accounts
from modelarts.local.paths import LocalHome
from modelarts.session import Session
from tests.emulator.cloud import IGNORED, environment, now, refused, signed
from tests.emulator.signing import Caller
from tests.support.jobs import until

pytestmark = IGNORED
DIALECTS = pytest.mark.parametrize(("dialect", "prefix"), [("v2", "x-amz-"), ("obs", "x-obs-")])


@pytest.fixture(autouse=True)
def bucket(iam_home: Path) -> Iterator[LocalBuckets]:
    buckets = LocalBuckets(LocalHome.of(iam_home).buckets)
    buckets.create_bucket("signed")
    yield buckets
    buckets.delete("obs://signed/", recursive=True)
    buckets.delete_bucket("signed")


@DIALECTS
def test_both_signature_schemes_are_accepted_with_parameters_metadata_and_checksum(caller: Caller, dialect, prefix):
    digest = base64.b64encode(hashlib.md5(b"content").digest()).decode()
    headers = {"Content-MD5": digest, "Content-Type": "text/plain", f"{prefix}meta-who": "me"}
    key = "a b/中 +%~😀.txt"
    put = signed(caller, "PUT", "signed", key, headers=headers, body=b"content", dialect=dialect)
    begin = signed(caller, "POST", "signed", "parts", {"uploads": None}, dialect=dialect)

    assert caller.send_prepared(put).status_code == 200
    found = caller.send_prepared(signed(caller, "GET", "signed", key, dialect=dialect))
    assert (found.content, found.headers["Content-Type"], found.headers[f"{prefix}meta-who"]) == (
        b"content", "text/plain", "me",
    )  # fmt: skip
    assert found.headers["ETag"] == f'"{hashlib.md5(b"content").hexdigest()}"'
    assert caller.send_prepared(begin).status_code == 200


@DIALECTS
def test_the_date_may_have_a_header_of_its_own(caller: Caller, dialect, prefix):
    dated = signed(caller, "GET", "signed", headers={f"{prefix}date": now(), "Date": "any"}, dialect=dialect)

    assert caller.send_prepared(dated).status_code == 200


def test_a_wrong_secret_or_an_unknown_key_is_rejected(caller: Caller):
    key, secret = caller.account.access_key, caller.account.secret_key

    refused(caller.send_prepared(signed(caller, "GET", "signed", keys=(key, "x"))), 403, "SignatureDoesNotMatch")
    refused(caller.send_prepared(signed(caller, "GET", "signed", keys=("X", secret))), 403, "InvalidAccessKeyId")


def test_a_modified_request_is_rejected(caller: Caller, bucket: LocalBuckets):
    def put() -> requests.PreparedRequest:
        headers = {"x-amz-meta-who": "me", "Content-Type": "text/plain", "Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
        return signed(caller, "PUT", "signed", "a", headers=headers)

    made = [put() for _ in range(7)]
    made[0].url += "b"
    made[1].method = "GET"
    made[2].headers["x-amz-meta-who"] = "you"
    made[3].headers["x-amz-meta-more"] = "1"
    made[4].headers["Content-Type"] = "text/html"
    made[5].headers["Date"] = now(datetime.now(timezone.utc) + timedelta(seconds=2))
    made[6].headers["Content-MD5"] = "XrY7u+Ae7tCTyyK7j1rNww=="
    part = signed(caller, "PUT", "signed", "a", {"uploadId": "0" * 32, "partNumber": "1"})
    part.url = part.url.replace("partNumber=1", "partNumber=2")

    for call in [*made, part]:
        refused(caller.send_prepared(call), 403, "SignatureDoesNotMatch")
    other = put()
    other.body = b"other"
    other.headers["Content-Length"] = "5"
    refused(caller.send_prepared(other), 400, "BadDigest")
    assert not bucket.exists("obs://signed/a")


def test_unsigned_requests_are_rejected(caller: Caller):
    url = f"{caller.address.url}/signed"

    for method in ("GET", "PUT", "DELETE"):
        refused(caller.send(method, url, headers={"X-Auth-Token": caller.token()}), 403, "AccessDenied")
    refused(caller.send("GET", url, headers={"Authorization": "Basic x"}), 400, "InvalidArgument")
    refused(caller.send("GET", f"{url}?AccessKeyId=x&Signature=y&Expires=9"), 501, "NotImplemented")
    later = {"Authorization": "AWS4-HMAC-SHA256 Credential=x"}
    assert "use signatures 'obs' or 'v2'" in refused(caller.send("GET", url, headers=later), 501, "NotImplemented")


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_signature_of_another_time_is_rejected(caller: Caller, minutes: int):
    date = now(datetime.now(timezone.utc) + timedelta(minutes=minutes))

    call = signed(caller, "GET", "signed", headers={"Date": date})

    assert date in refused(caller.send_prepared(call), 403, "RequestTimeTooSkewed")


@pytest.mark.parametrize("date", ["", "yesterday", "20260101T000000Z"])
def test_a_malformed_date_is_rejected(caller: Caller, date: str):
    refused(caller.send_prepared(signed(caller, "GET", "signed", headers={"Date": date})), 403, "AccessDenied")


@DIALECTS
def test_temporary_keys_need_their_own_security_token(caller: Caller, dialect, prefix):
    keys, others = caller.temporary_keys(), caller.temporary_keys()

    def send(headers: dict[str, str]) -> requests.Response:
        pair = keys["access"], keys["secret"]
        return caller.send_prepared(signed(caller, "GET", "signed", headers=headers, keys=pair, dialect=dialect))

    assert send({f"{prefix}security-token": keys["securitytoken"]}).status_code == 200
    refused(send({}), 403, "InvalidAccessKeyId")
    refused(send({f"{prefix}security-token": others["securitytoken"]}), 400, "InvalidToken")
    refused(send({f"{prefix}security-token": "guess"}), 400, "InvalidToken")


@DIALECTS
def test_the_accounts_keys_reject_a_security_token(caller: Caller, dialect, prefix):
    token = caller.temporary_keys()["securitytoken"]

    for given in (token, "guess"):
        call = signed(caller, "GET", "signed", headers={f"{prefix}security-token": given}, dialect=dialect)
        refused(caller.send_prepared(call), 400, "InvalidToken")


@contextmanager
def with_short_keys(home: Path) -> Iterator[Caller]:
    """A client of a service whose temporary keys last half a second."""
    file = LocalHome.of(home).account
    accounts.load_or_create(file)
    file.write_text(json.dumps({**json.loads(file.read_text()), "keys_lifetime": 0.5}))
    address = daemon.ensure(home, daemon.CloudOptions()).iam
    with requests.Session() as http:
        yield Caller(address, accounts.load(file), http)


def test_temporary_keys_expire(home: Path):
    with with_short_keys(home) as caller:
        keys = caller.temporary_keys()
        headers = {"x-amz-security-token": keys["securitytoken"]}

        def status() -> int:
            call = signed(caller, "GET", headers=headers, keys=(keys["access"], keys["secret"]))
            return caller.send_prepared(call).status_code

        assert status() == 200
        until(lambda: status() != 200)
        call = signed(caller, "GET", headers=headers, keys=(keys["access"], keys["secret"]))
        refused(caller.send_prepared(call), 400, "ExpiredToken")


def test_a_session_by_password_gets_new_keys_when_its_keys_have_expired(home: Path, monkeypatch: pytest.MonkeyPatch):
    with with_short_keys(home) as caller:
        for name, value in environment(caller).items():
            monkeypatch.setenv(name, value)
        login = {"account": caller.account.account, "username": caller.account.username}
        with Session(**login, password=caller.account.password) as session:
            session.obs.create_bucket("lasting")
            younger = caller.temporary_keys()

            def has_ended() -> bool:
                headers = {"x-amz-security-token": younger["securitytoken"]}
                call = signed(caller, "GET", headers=headers, keys=(younger["access"], younger["secret"]))
                return caller.send_prepared(call).status_code == 400

            until(has_ended)
            assert session.obs.list("obs://lasting/") == []


def test_another_host_name_is_rejected(caller: Caller):
    call = signed(caller, "GET", "signed")
    call.headers["Host"] = "attacker.example"

    refused(caller.send_prepared(call), 403, "AccessDenied")


def test_sessions_report_the_rejected_request(caller: Caller, monkeypatch: pytest.MonkeyPatch):
    for name, value in environment(caller).items():
        monkeypatch.setenv(name, value)
    account = attrs.asdict(caller.account)
    wrong = Session(access_key=account["access_key"], secret_key="guess", project_id=account["project_id"])

    with wrong as session, pytest.raises(ObsError, match=r"SignatureDoesNotMatch: .*Check access_key and secret_key"):
        session.obs.list("obs://signed/")
