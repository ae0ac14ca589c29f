"""The operations of IAM: tokens, temporary keys, the project of a region."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
import requests

from tests.emulator.cloud_client import CloudClient, assert_iam_error, sign


def timestamp(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)


def post(cloud: CloudClient, path: str, body, **headers: str):
    return cloud.send("POST", cloud.address.url + path, json=body, headers=headers)


def test_the_response_of_a_login_is_as_documented(cloud: CloudClient):
    reply = post(cloud, "/v3/auth/tokens", cloud.login())

    assert reply.status_code == 201
    assert len(reply.headers["X-Subject-Token"]) > 32
    token = reply.json()["token"]
    domain = {"id": cloud.account.domain_id, "name": cloud.account.account}
    assert token["methods"] == ["password"]
    assert token["project"] == {"id": cloud.account.project_id, "name": "cn-north-4", "domain": domain}
    assert token["user"]["name"] == cloud.account.username
    assert token["user"]["domain"] == domain
    assert timestamp(token["expires_at"]) - timestamp(token["issued_at"]) == timedelta(hours=24)
    endpoints = {service["name"]: service["endpoints"][0] for service in token["catalog"]}
    assert endpoints["modelarts"]["url"] == f"{cloud.address.url}/v1/{cloud.account.project_id}"
    assert {endpoint["region_id"] for endpoint in endpoints.values()} == {"cn-north-4"}


def test_the_catalog_is_omitted_on_request(cloud: CloudClient):
    assert post(cloud, "/v3/auth/tokens?nocatalog=true", cloud.login()).json()["token"]["catalog"] == []


@pytest.mark.parametrize(
    "scope",
    [
        {"project": {"domain": {"name": "local-account"}, "name": "cn-north-4"}},
        {"project": {"name": "cn-north-4"}, "domain": {"name": "local-account"}},
    ],
)
def test_the_project_may_be_named_with_its_account(cloud: CloudClient, scope):
    body = cloud.login()
    body["auth"]["scope"] = scope

    assert post(cloud, "/v3/auth/tokens", body).json()["token"]["project"]["name"] == "cn-north-4"


@pytest.mark.parametrize("scope", [None, {}, {"domain": {"name": "local-account"}}])
def test_without_a_project_the_token_is_for_the_account(cloud: CloudClient, scope):
    body = cloud.login()
    body["auth"]["scope"] = scope

    token = post(cloud, "/v3/auth/tokens", body).json()["token"]

    assert ("project" in token, token["domain"]["name"]) == (False, "local-account")


@pytest.mark.parametrize(
    "wrong", [{"password": "guess"}, {"name": "guess"}, {"domain": {"name": "guess"}}, {"password": 5}, {"name": None},
              {"password": "\ud800"}],
    ids=str,
)  # fmt: skip
def test_the_error_of_a_wrong_login_does_not_say_which_value_is_wrong(cloud: CloudClient, wrong):
    reply = post(cloud, "/v3/auth/tokens", cloud.login(**wrong))

    assert assert_iam_error(reply, 401, "Unauthorized") == "The username or password is wrong."
    assert "X-Subject-Token" not in reply.headers


def test_guesses_are_slowed_down_and_logins_are_not(cloud: CloudClient):
    def guess(_: int) -> requests.Response:
        url, ca_bundle = f"{cloud.address.url}/v3/auth/tokens", cloud.address.ca_bundle
        return requests.post(url, json=cloud.login(password="guess"), verify=ca_bundle, timeout=10)

    began = time.monotonic()
    assert [guess(0).status_code, guess(0).status_code, guess(0).status_code] == [401] * 3
    assert time.monotonic() - began > 0.1 + 0.2 + 0.4
    began = time.monotonic()
    assert cloud.token()
    assert time.monotonic() - began < 0.8
    with ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(guess, range(12)))
    assert {reply.status_code for reply in replies} == {401, 429}
    assert {reply.headers.get("Retry-After") for reply in replies if reply.status_code == 429} == {"1"}


def test_another_region_has_no_project(cloud: CloudClient):
    body = cloud.login()
    body["auth"]["scope"]["project"]["name"] = "cn-north-1"

    reply = post(cloud, "/v3/auth/tokens", body)

    assert assert_iam_error(reply, 404, "Not Found") == "Could not find project: cn-north-1."


@pytest.mark.parametrize(
    "body",
    [None, [], 5, {}, {"auth": 5}, {"auth": {"identity": {}}}, {"auth": {"identity": {"methods": ["totp"]}}},
     {"auth": {"identity": {"methods": ["password"], "password": {"user": []}}}},
     {"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "u", "password": "p"}}}}}],
    ids=str,
)  # fmt: skip
def test_a_body_of_another_form_is_rejected(cloud: CloudClient, body):
    assert assert_iam_error(post(cloud, "/v3/auth/tokens", body), 400, "Bad Request")


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_not_json_is_rejected(cloud: CloudClient, data):
    reply = cloud.send("POST", f"{cloud.address.url}/v3/auth/tokens", data=data)

    assert assert_iam_error(reply, 400, "Bad Request") == "the body is not JSON"


@pytest.mark.parametrize("scope", [5, [1], {"project": 5}, {"project": [1]}])
def test_a_scope_of_another_form_is_rejected(cloud: CloudClient, scope):
    body = cloud.login()
    body["auth"]["scope"] = scope

    assert_iam_error(post(cloud, "/v3/auth/tokens", body), 400, "Bad Request")


# --- temporary keys

KEYS = "/v3.0/OS-CREDENTIAL/securitytokens"


def wanted(**options) -> dict[str, object]:
    return {"auth": {"identity": {"methods": ["token"], "token": options}}}


@pytest.mark.parametrize(
    ("options", "seconds"),
    [({}, 900), ({"duration-seconds": "86400"}, 86400), ({"duration_seconds": 1000}, 1000)],
)
def test_temporary_keys_have_the_requested_lifetime(cloud: CloudClient, options, seconds):
    reply = post(cloud, KEYS, wanted(**options), **{"X-Auth-Token": cloud.token()})

    credential = reply.json()["credential"]
    left = timestamp(credential["expires_at"]) - datetime.now(timezone.utc)
    assert reply.status_code == 201
    assert abs(left.total_seconds() - seconds) < 30
    assert (len(credential["access"]), len(credential["secret"])) == (20, 40)


def test_the_token_may_be_in_the_body_or_the_request_signed(cloud: CloudClient):
    content = b'{"auth": {"identity": {"methods": ["token"]}}}'

    assert post(cloud, KEYS, wanted(id=cloud.token())).status_code == 201
    signed = cloud.signed("POST", cloud.address.url + KEYS, (), {}, content)
    assert cloud.send_prepared(signed).status_code == 201


@pytest.mark.parametrize("seconds", [899, 86401, "x", None, 1.5, True])
def test_a_lifetime_out_of_range_is_rejected(cloud: CloudClient, seconds):
    reply = post(cloud, KEYS, wanted(duration_seconds=seconds), **{"X-Auth-Token": cloud.token()})

    assert "900 to 86400" in assert_iam_error(reply, 400, "Bad Request")


def test_agencies_are_not_implemented(cloud: CloudClient):
    body = {"auth": {"identity": {"methods": ["assume_role"]}}}

    reply = post(cloud, KEYS, body, **{"X-Auth-Token": cloud.token()})

    assert "agencies" in assert_iam_error(reply, 400, "Bad Request")


def test_temporary_keys_require_a_login(cloud: CloudClient):
    assert_iam_error(post(cloud, KEYS, wanted()), 401, "Unauthorized")
    assert_iam_error(post(cloud, KEYS, wanted(id="guess")), 401, "Unauthorized")
    assert_iam_error(post(cloud, KEYS, wanted(), **{"X-Auth-Token": "A" * 120}), 401, "Unauthorized")


# --- projects


def test_the_project_of_the_region_is_found(cloud: CloudClient):
    url = f"{cloud.address.url}/v3/projects"
    signed = sign(cloud.account.access_key, cloud.account.secret_key, "GET", url, [("name", "cn-north-4")])

    for reply in (cloud.send_prepared(signed), cloud.send("GET", url, headers={"X-Auth-Token": cloud.token()})):
        (project,) = reply.json()["projects"]
        assert (reply.status_code, project["id"], project["name"]) == (200, cloud.account.project_id, "cn-north-4")
        assert project["domain_id"] == project["parent_id"] == cloud.account.domain_id
        assert project["links"]["self"] == f"{url}/{cloud.account.project_id}"
        assert reply.json()["links"] == {"next": None, "previous": None, "self": url}


def test_another_region_is_not_found(cloud: CloudClient):
    url = f"{cloud.address.url}/v3/projects?name=cn-north-1"

    assert cloud.send("GET", url, headers={"X-Auth-Token": cloud.token()}).json()["projects"] == []


def test_projects_require_a_login(cloud: CloudClient):
    url = f"{cloud.address.url}/v3/projects"

    assert_iam_error(cloud.send("GET", url), 401, "Unauthorized")
    signed = sign(cloud.account.access_key, "guess", "GET", url)
    assert_iam_error(cloud.send_prepared(signed), 401, "Unauthorized")


def test_other_calls_are_rejected_in_the_same_format(cloud: CloudClient):
    assert_iam_error(cloud.send("GET", f"{cloud.address.url}/v3/users"), 404, "Not Found")
    assert_iam_error(cloud.send("PUT", f"{cloud.address.url}/v3/projects"), 405, "Method Not Allowed")
    assert_iam_error(cloud.send("POST", f"{cloud.address.url}/v3/auth/tokens", data=b" " * 13_000_000), 413,
                     "Request Entity Too Large")  # fmt: skip
