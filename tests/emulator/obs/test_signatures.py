"""Access to buckets: signatures, dates, expired keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
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
from tests.emulator.cloud_client import CloudClient
from tests.emulator.obs_requests import IGNORED_WARNINGS, assert_obs_error, environment, http_date, signed
from tests.support.jobs import until

pytestmark = IGNORED_WARNINGS
DIALECTS = pytest.mark.parametrize(("dialect", "prefix"), [("v2", "x-amz-"), ("obs", "x-obs-")])


@pytest.fixture(autouse=True)
def bucket(iam_home: Path) -> Iterator[LocalBuckets]:
    buckets = LocalBuckets(LocalHome.of(iam_home).buckets)
    buckets.create_bucket("signed")
    yield buckets
    buckets.delete("obs://signed/", recursive=True)
    buckets.delete_bucket("signed")


@DIALECTS
def test_both_signature_schemes_are_accepted_with_parameters_metadata_and_checksum(cloud: CloudClient, dialect, prefix):
    digest = base64.b64encode(hashlib.md5(b"content").digest()).decode()
    headers = {"Content-MD5": digest, "Content-Type": "text/plain", f"{prefix}meta-who": "me"}
    key = "a b/中 +%~😀.txt"
    put = signed(cloud, "PUT", "signed", key, headers=headers, body=b"content", dialect=dialect)
    begin = signed(cloud, "POST", "signed", "parts", {"uploads": None}, dialect=dialect)

    assert cloud.send_prepared(put).status_code == 200
    found = cloud.send_prepared(signed(cloud, "GET", "signed", key, dialect=dialect))
    assert (found.content, found.headers["Content-Type"], found.headers[f"{prefix}meta-who"]) == (
        b"content", "text/plain", "me",
    )  # fmt: skip
    assert found.headers["ETag"] == f'"{hashlib.md5(b"content").hexdigest()}"'
    assert cloud.send_prepared(begin).status_code == 200


@DIALECTS
def test_the_date_may_be_in_the_header_of_the_dialect(cloud: CloudClient, dialect, prefix):
    dated = signed(cloud, "GET", "signed", headers={f"{prefix}date": http_date(), "Date": "any"}, dialect=dialect)

    assert cloud.send_prepared(dated).status_code == 200


def test_a_wrong_secret_or_an_unknown_key_is_rejected(cloud: CloudClient):
    key, secret = cloud.account.access_key, cloud.account.secret_key

    assert_obs_error(cloud.send_prepared(signed(cloud, "GET", "signed", keys=(key, "x"))), 403, "SignatureDoesNotMatch")
    assert_obs_error(cloud.send_prepared(signed(cloud, "GET", "signed", keys=("X", secret))), 403, "InvalidAccessKeyId")


def test_a_modified_request_is_rejected(cloud: CloudClient, bucket: LocalBuckets):
    def put() -> requests.PreparedRequest:
        headers = {"x-amz-meta-who": "me", "Content-Type": "text/plain", "Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
        return signed(cloud, "PUT", "signed", "a", headers=headers)

    changed = [put() for _ in range(7)]
    changed[0].url += "b"
    changed[1].method = "GET"
    changed[2].headers["x-amz-meta-who"] = "you"
    changed[3].headers["x-amz-meta-more"] = "1"
    changed[4].headers["Content-Type"] = "text/html"
    changed[5].headers["Date"] = http_date(datetime.now(timezone.utc) + timedelta(seconds=2))
    changed[6].headers["Content-MD5"] = "XrY7u+Ae7tCTyyK7j1rNww=="
    part = signed(cloud, "PUT", "signed", "a", {"uploadId": "0" * 32, "partNumber": "1"})
    part.url = part.url.replace("partNumber=1", "partNumber=2")

    for request in [*changed, part]:
        assert_obs_error(cloud.send_prepared(request), 403, "SignatureDoesNotMatch")
    other = put()
    other.body = b"other"
    other.headers["Content-Length"] = "5"
    assert_obs_error(cloud.send_prepared(other), 400, "BadDigest")
    assert not bucket.exists("obs://signed/a")


def test_unsigned_requests_are_rejected(cloud: CloudClient):
    url = f"{cloud.address.url}/signed"

    for method in ("GET", "PUT", "DELETE"):
        assert_obs_error(cloud.send(method, url, headers={"X-Auth-Token": cloud.token()}), 403, "AccessDenied")
    assert_obs_error(cloud.send("GET", url, headers={"Authorization": "Basic x"}), 400, "InvalidArgument")
    assert_obs_error(cloud.send("GET", f"{url}?AccessKeyId=x&Signature=y&Expires=9"), 501, "NotImplemented")
    later = {"Authorization": "AWS4-ECDSA-P256-SHA256 Credential=x"}
    message = assert_obs_error(cloud.send("GET", url, headers=later), 501, "NotImplemented")
    assert "use 'obs', 'v2' or 'v4'" in message


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_signature_of_another_time_is_rejected(cloud: CloudClient, minutes: int):
    date = http_date(datetime.now(timezone.utc) + timedelta(minutes=minutes))

    request = signed(cloud, "GET", "signed", headers={"Date": date})

    assert date in assert_obs_error(cloud.send_prepared(request), 403, "RequestTimeTooSkewed")


@pytest.mark.parametrize("date", ["", "yesterday", "20260101T000000Z"])
def test_a_malformed_date_is_rejected(cloud: CloudClient, date: str):
    assert_obs_error(cloud.send_prepared(signed(cloud, "GET", "signed", headers={"Date": date})), 403, "AccessDenied")


@DIALECTS
def test_temporary_keys_need_their_own_security_token(cloud: CloudClient, dialect, prefix):
    keys, others = cloud.temporary_keys(), cloud.temporary_keys()

    def send(headers: dict[str, str]) -> requests.Response:
        pair = keys["access"], keys["secret"]
        return cloud.send_prepared(signed(cloud, "GET", "signed", headers=headers, keys=pair, dialect=dialect))

    assert send({f"{prefix}security-token": keys["securitytoken"]}).status_code == 200
    assert_obs_error(send({}), 403, "InvalidAccessKeyId")
    assert_obs_error(send({f"{prefix}security-token": others["securitytoken"]}), 400, "InvalidToken")
    assert_obs_error(send({f"{prefix}security-token": "guess"}), 400, "InvalidToken")


@DIALECTS
def test_the_accounts_keys_reject_a_security_token(cloud: CloudClient, dialect, prefix):
    token = cloud.temporary_keys()["securitytoken"]

    for security_token in (token, "guess"):
        request = signed(cloud, "GET", "signed", headers={f"{prefix}security-token": security_token}, dialect=dialect)
        assert_obs_error(cloud.send_prepared(request), 400, "InvalidToken")


@contextmanager
def with_short_keys(home: Path) -> Iterator[CloudClient]:
    """A client of a service whose temporary keys expire after half a second."""
    file = LocalHome.of(home).account
    accounts.load_or_create(file)
    file.write_text(json.dumps({**json.loads(file.read_text()), "keys_lifetime": 0.5}))
    address = daemon.ensure(home, daemon.CloudOptions()).iam
    with requests.Session() as http:
        yield CloudClient(address, accounts.load(file), http)


def test_temporary_keys_expire(home: Path):
    with with_short_keys(home) as cloud:
        keys = cloud.temporary_keys()
        headers = {"x-amz-security-token": keys["securitytoken"]}

        def status() -> int:
            request = signed(cloud, "GET", headers=headers, keys=(keys["access"], keys["secret"]))
            return cloud.send_prepared(request).status_code

        assert status() == 200
        until(lambda: status() != 200)
        request = signed(cloud, "GET", headers=headers, keys=(keys["access"], keys["secret"]))
        assert_obs_error(cloud.send_prepared(request), 400, "ExpiredToken")


def test_a_session_by_password_gets_new_keys_when_its_keys_have_expired(home: Path, monkeypatch: pytest.MonkeyPatch):
    with with_short_keys(home) as cloud:
        for name, value in environment(cloud).items():
            monkeypatch.setenv(name, value)
        login = {"account": cloud.account.account, "username": cloud.account.username}
        with Session(**login, password=cloud.account.password) as session:
            session.obs.create_bucket("lasting")
            younger = cloud.temporary_keys()

            def has_ended() -> bool:
                headers = {"x-amz-security-token": younger["securitytoken"]}
                request = signed(cloud, "GET", headers=headers, keys=(younger["access"], younger["secret"]))
                return cloud.send_prepared(request).status_code == 400

            until(has_ended)
            assert session.obs.list("obs://lasting/") == []


def test_another_host_name_is_rejected(cloud: CloudClient):
    request = signed(cloud, "GET", "signed")
    request.headers["Host"] = "attacker.example"

    assert_obs_error(cloud.send_prepared(request), 403, "AccessDenied")


def test_sessions_report_the_rejected_request(cloud: CloudClient, monkeypatch: pytest.MonkeyPatch):
    for name, value in environment(cloud).items():
        monkeypatch.setenv(name, value)
    account = attrs.asdict(cloud.account)
    wrong = Session(access_key=account["access_key"], secret_key="guess", project_id=account["project_id"])

    with wrong as session, pytest.raises(ObsError, match=r"SignatureDoesNotMatch: .*Check access_key and secret_key"):
        session.obs.list("obs://signed/")


def test_a_bucket_may_be_signed_with_a_slash_and_sent_without(cloud: CloudClient):
    """As boto3 does it."""
    date = http_date()
    text = f"GET\n\n\n{date}\n/signed/"
    digest = hmac.new(cloud.account.secret_key.encode(), text.encode(), hashlib.sha1).digest()
    credentials = f"AWS {cloud.account.access_key}:{base64.b64encode(digest).decode()}"

    reply = cloud.send("GET", f"{cloud.address.url}/signed", headers={"Date": date, "Authorization": credentials})

    assert reply.status_code == 200, reply.text
