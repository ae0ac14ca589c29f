"""Verifies signatures with the vectors of the contract and with the general SDK of Huawei."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelarts.local.api.errors import ApiFailure
from modelarts.local.emulator.iam.signatures import (
    AuthorizationHeader,
    SignedRequest,
    canonical_request,
    check_date,
    check_signature,
    string_to_sign,
)
from tests.emulator.cloud_client import sign
from tests.support.hypothesis_examples import part_of

CONTRACT = json.loads(Path(__file__).parents[1].joinpath("contract", "auth.json").read_text(encoding="utf-8"))
VECTORS = CONTRACT["ak_sk"]["test_vectors"]
AK, SK, HOST = "AKEXAMPLE", "the secret key", "https://modelarts.cn-north-4.myhuaweicloud.com"


def received(method, target, headers, body=b"") -> SignedRequest:
    path, _, query = target.partition("?")
    return SignedRequest(method, path, query, {name.lower(): value for name, value in headers.items()}, body)


def of_vector(vector) -> SignedRequest:
    headers = {"Host": vector["host"], **vector["headers_before_signing"]}
    return received(vector["method"], vector["request_uri"], headers, (vector["body"] or "").encode())


def code_of(raw) -> tuple[str, int]:
    with pytest.raises(ApiFailure) as error:
        raw()
    return error.value.code, error.value.status


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["title"])
def test_the_vectors_of_the_contract_are_canonicalised_and_accepted(vector):
    raw, claim = of_vector(vector), AuthorizationHeader.of(vector["authorization"])

    canonical = canonical_request(raw, claim.signed_headers)

    assert canonical.decode() == vector["canonical_request"]
    assert string_to_sign(canonical, raw.headers["x-sdk-date"]) == vector["string_to_sign"]
    assert claim.access_key == vector["access_key"]
    check_signature(claim, raw, vector["secret_key"])


@pytest.mark.parametrize(
    "change",
    [
        {"method": "HEAD"},
        {"path": "/v1/other/job/ai-engines"},
        {"query": "page=1"},
        {"body": b"{}"},
        {"headers": {"x-sdk-date": "20190307T101500Z"}},
        {"headers": {"x-project-id": "other"}},
        {"headers": {"host": "modelarts.cn-north-1.myhuaweicloud.com"}},
    ],
    ids=str,
)
def test_a_request_that_differs_from_the_signed_one_is_rejected(change):
    vector = VECTORS[0]
    raw = of_vector(vector)
    changed = attrs.evolve(raw, **{**change, "headers": {**raw.headers, **change.get("headers", {})}})

    header = AuthorizationHeader.of(vector["authorization"])
    assert code_of(lambda: check_signature(header, changed, vector["secret_key"])) == ("ModelArts.0208", 401)


@pytest.mark.parametrize("key", ["AKEXAMPLE0000000000/20150907//ec2/sdk_request", "AKEXAMPLE0000000000/"])
def test_the_documented_form_of_the_header_is_accepted(key):
    authorization = VECTORS[0]["authorization"].replace("Access=AKEXAMPLE0000000000", f"Credential={key}")

    claim = AuthorizationHeader.of(authorization)

    assert claim.access_key == "AKEXAMPLE0000000000"
    check_signature(claim, of_vector(VECTORS[0]), VECTORS[0]["secret_key"])


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic dXNlcjpwYXNz",
        "SDK-HMAC-SHA256",
        "SDK-HMAC-SHA256 Access=, SignedHeaders=host, Signature=" + "0" * 64,
        "SDK-HMAC-SHA256 Access=AK, SignedHeaders=, Signature=" + "0" * 64,
        "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature=" + "0" * 63,
        "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature=" + "G" * 64,
        "SDK-HMAC-SM3 Access=AK, SignedHeaders=host, Signature=" + "0" * 64,
        "V11-HMAC-SHA256 Credential=AK/20150907/r/s, SignedHeaders=host, Signature=" + "0" * 64,
    ],
)
def test_a_malformed_header_is_rejected(authorization):
    assert code_of(lambda: AuthorizationHeader.of(authorization)) == ("ModelArts.0206", 401)


@pytest.mark.parametrize("left_out", ["host", "x-sdk-date"])
def test_host_and_date_must_be_signed(left_out):
    claim = AuthorizationHeader.of(VECTORS[0]["authorization"])
    weak = attrs.evolve(claim, signed_headers=tuple(name for name in claim.signed_headers if name != left_out))

    assert code_of(lambda: check_signature(weak, of_vector(VECTORS[0]), "key")) == ("ModelArts.0208", 401)


def test_a_signed_header_must_exist():
    raw = of_vector(VECTORS[0])
    headers = {name: value for name, value in raw.headers.items() if name != "x-project-id"}

    with pytest.raises(ApiFailure, match="signed headers are missing: x-project-id"):
        check_signature(AuthorizationHeader.of(VECTORS[0]["authorization"]), attrs.evolve(raw, headers=headers), "key")


NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize("date", ["20260101T114500Z", "20260101T120000Z", "20260101T121500Z"])
def test_a_date_within_15_minutes_is_accepted(date):
    check_date({"x-sdk-date": date}, NOON)


@pytest.mark.parametrize("date", ["20260101T114459Z", "20260101T121501Z", "20250101T120000Z"])
def test_another_date_has_expired(date):
    assert code_of(lambda: check_date({"x-sdk-date": date}, NOON)) == ("ModelArts.0207", 401)


@pytest.mark.parametrize("headers", [{}, {"x-sdk-date": ""}, {"x-sdk-date": "2026-01-01T12:00:00Z"}])
def test_a_malformed_date_is_rejected(headers):
    assert code_of(lambda: check_date(headers, NOON)) == ("ModelArts.0208", 401)


def test_a_body_may_be_unsigned_as_by_the_general_sdk_for_other_types_than_json():
    request = sign(AK, SK, "POST", f"{HOST}/v1/p/x", (), {"Content-Type": "application/octet-stream"}, b"12")
    raw = received("POST", "/v1/p/x", request.headers, b"34")

    check_signature(AuthorizationHeader.of(request.headers["Authorization"]), raw, SK)


def test_a_given_digest_must_match_the_body():
    headers = {"X-Sdk-Content-Sha256": "0" * 64}
    request = sign(AK, SK, "POST", f"{HOST}/v1/p/x", (), headers, b"12")
    raw = received("POST", "/v1/p/x", request.headers, b"12")

    with pytest.raises(ApiFailure, match="X-Sdk-Content-Sha256 does not match the body"):
        check_signature(AuthorizationHeader.of(request.headers["Authorization"]), raw, SK)


TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
PAIRS = st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=5)
VALUE = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=12)


@settings(deadline=None, derandomize=True, max_examples=part_of(300))
@given(st.sampled_from(["GET", "POST", "PUT", "DELETE"]), TEXT, PAIRS, VALUE, st.binary(max_size=200))
@example("GET", "v1//训练 作业/a+b%2F~/", [("b", ""), ("a", "2"), ("a", "1"), ("空", " &=+%2B")], "à", b"")
def test_only_the_request_that_the_general_sdk_signed_is_accepted(method, path, query, value, body):
    request = sign(AK, SK, method, f"{HOST}/{quote(path)}", query, {"X-Any": value}, body)
    raw = received(method, request.url[len(HOST) :], request.headers, body)
    claim = AuthorizationHeader.of(request.headers["Authorization"])

    check_signature(claim, raw, SK)
    for other in (attrs.evolve(raw, body=body + b" "), attrs.evolve(raw, query=f"{raw.query}&x=")):
        assert code_of(lambda other=other: check_signature(claim, other, SK)) == ("ModelArts.0208", 401)
    assert code_of(lambda: check_signature(claim, raw, SK + " ")) == ("ModelArts.0208", 401)
