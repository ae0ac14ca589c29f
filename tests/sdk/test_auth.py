"""Requests are signed as the vectors say, byte for byte, and secrets are shown nowhere."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from datetime import datetime, timezone, tzinfo
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest
import requests

from modelarts._auth import signing
from modelarts._auth.signing import AkSkAuth, TokenAuth
from modelarts._settings import table
from modelarts.errors import AuthError, ConfigError
from modelarts.session import Session
from tests.support.cloud import MADE, PROJECT, Cloud, cloud_estimator, cloud_session, contract

AUTH = contract("auth.json")
VECTORS = AUTH["ak_sk"]["test_vectors"]
INFO = "/training-jobs/10/versions/20"
SECRETS = {"secret_key": "SECRET-KEY", "security_token": "SECURITY-TOKEN"}
UGLY = "my job/ä~ +&=%"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["title"])
def test_the_signature_equals_that_of_the_test_vectors(vector: dict[str, Any]):
    auth = AkSkAuth(vector["access_key"], vector["secret_key"])
    query = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in vector["query"])
    headers = {**vector["headers_before_signing"], "Host": vector["host"]}

    made = auth.authorization(vector["method"], vector["path"], query, headers, (vector["body"] or "").encode())

    assert made == vector["authorization"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["title"])
def test_the_order_of_query_and_headers_does_not_matter(vector: dict[str, Any]):
    auth = AkSkAuth(vector["access_key"], vector["secret_key"])
    query = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in reversed(vector["query"]))
    headers = dict(reversed([*vector["headers_before_signing"].items(), ("HOST", f" {vector['host']} ")]))

    made = auth.authorization(vector["method"], vector["path"], query, headers, (vector["body"] or "").encode())

    assert made == vector["authorization"]


def test_headers_with_underscores_are_not_signed():
    vector = VECTORS[0]
    headers = {**vector["headers_before_signing"], "Host": vector["host"], "x_note": "not signed"}

    made = AkSkAuth(vector["access_key"], vector["secret_key"]).authorization("GET", vector["path"], "", headers, b"")

    assert made == vector["authorization"]


def test_the_sent_request_equals_that_of_the_test_vectors(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    class Clock:
        @staticmethod
        def now(zone: tzinfo) -> datetime:
            return datetime(2019, 3, 7, 10, 14, 59, tzinfo=zone)

    monkeypatch.setattr(signing, "datetime", Clock)
    vector = VECTORS[1]
    project = vector["headers_before_signing"]["X-Project-Id"]
    cloud.faked.get(f"https://{vector['host']}{vector['path']}", json={"is_success": True})
    keys = {"access_key": vector["access_key"], "secret_key": vector["secret_key"], "project_id": project}

    with cloud_session(**keys) as session:
        session.client.call("list_training_jobs", query=dict(vector["query"]))

    (request,) = cloud.requests
    parts = urlsplit(str(request.url))
    assert f"{parts.path}?{parts.query}" == vector["request_uri"]
    assert request.headers["X-Sdk-Date"] == vector["headers_before_signing"]["X-Sdk-Date"]
    assert signature_is_right(request, vector["secret_key"])


def signature_is_right(request: requests.PreparedRequest, secret: str) -> bool:
    """Whether a service that follows the contract's steps comes to the same signature for what was sent."""
    given = re.fullmatch(AUTH["ak_sk"]["authorization_pattern"], request.headers["Authorization"])
    assert given
    names = str(request.headers["Authorization"]).partition("SignedHeaders=")[2].partition(",")[0].split(";")
    parts = urlsplit(str(request.url))
    path = "/".join(quote(segment, safe="-_.~") for segment in unquote(parts.path).split("/")) + "/"
    body = request.body or b""
    canonical = [
        str(request.method), path, parts.query,  # sent as it is signed
        *(f"{name}:{request.headers[name].strip()}" for name in names), "",
        ";".join(names), hashlib.sha256(body if isinstance(body, bytes) else body.encode()).hexdigest(),
    ]  # fmt: skip
    digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    text = f"SDK-HMAC-SHA256\n{request.headers['X-Sdk-Date']}\n{digest}"
    expected = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return str(request.headers["Authorization"]).endswith(f"Signature={expected}")


def test_requests_are_signed_as_they_are_sent(cloud: Cloud, session: Session):
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", "/training-jobs", MADE)
    cloud.answer("GET", "/training-jobs", {"is_success": True, "jobs": []})
    cloud.answer("GET", f"/training-job-configs/{quote(UGLY, safe='')}", {"is_success": True})

    cloud_estimator(session, job_description="描述").fit(inputs="/bucket/data/", job_name="j")
    session.client.call("list_training_jobs", query={"search_content": UGLY, "page": 1, "order": None})
    session.client.call("get_training_job_config", {"config_name": UGLY})

    assert len(cloud.requests) == 5
    assert all(signature_is_right(request, "SK") for request in cloud.requests)
    query = urlsplit(str(cloud.requests[3].url)).query
    assert dict(parse_qsl(query)) == {"search_content": UGLY, "page": "1"}
    assert "+" not in query


def test_a_request_has_the_documented_headers(cloud: Cloud, session: Session):
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", "/training-jobs", MADE)

    cloud_estimator(session).fit(inputs="/bucket/data/", job_name="j")

    for request in cloud.requests:
        assert request.headers["Content-Type"] == "application/json"
        assert request.headers["X-Project-Id"] == PROJECT
        assert request.headers["Host"] == "modelarts.cn-north-4.myhuaweicloud.com"
        assert datetime.strptime(request.headers["X-Sdk-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        assert request.headers["Authorization"].startswith("SDK-HMAC-SHA256 Access=AK, SignedHeaders=")
        assert "X-Security-Token" not in request.headers
    assert cloud.requests[-1].headers["Content-Length"] == str(len(cloud.requests[-1].body or b""))


def test_temporary_keys_send_their_security_token_and_sign_it(cloud: Cloud):
    cloud.answer("GET", INFO, {"is_success": True})

    with cloud_session(**SECRETS) as session:
        session.client.call("get_training_job_version", {"job_id": 10, "version_id": 20})

    (request,) = cloud.requests
    assert request.headers["X-Security-Token"] == "SECURITY-TOKEN"
    assert "x-security-token" in str(request.headers["Authorization"]).partition("Signature=")[0]
    assert signature_is_right(request, "SECRET-KEY")


def test_a_token_is_sent_as_it_is():
    headers: dict[str, str] = {}

    TokenAuth("T").apply("GET", "https://x/v1", headers, b"")

    assert headers == {"X-Auth-Token": "T"}


# --- secrets


def secrets_in(text: str) -> list[str]:
    return [secret for secret in SECRETS.values() if secret in text]


def test_no_repr_shows_a_secret(cloud: Cloud):
    session = cloud_session(**SECRETS)
    shown = [session, session.client.endpoint, session.client.endpoint.auth, TokenAuth(SECRETS["security_token"]),
             cloud_estimator(session), table.resolve(SECRETS)]  # fmt: skip

    assert [secrets_in(repr(thing) + str(thing)) for thing in shown] == [[]] * len(shown)


def test_no_error_and_no_log_shows_a_secret(cloud: Cloud, caplog: pytest.LogCaptureFixture):
    cloud.answer("GET", INFO, {"error_code": "ModelArts.0010", "error_message": "busy"}, 503)
    cloud.answer("GET", INFO, {"error_code": "APIGW.0301", "error_message": "Incorrect IAM information"}, 401)

    with caplog.at_level(logging.DEBUG), cloud_session(**SECRETS) as session, pytest.raises(AuthError) as caught:
        session.client.call("get_training_job_version", {"job_id": 10, "version_id": 20})

    assert "next in" in caplog.text
    assert secrets_in(caplog.text + str(caught.value) + repr(caught.value)) == []


def test_incomplete_credentials_are_not_shown(cloud: Cloud):
    with pytest.raises(ConfigError) as caught:
        cloud_session(**SECRETS, region_name="")

    assert "region_name: missing" in str(caught.value)
    assert secrets_in(str(caught.value)) == []
