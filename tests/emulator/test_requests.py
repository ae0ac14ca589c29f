"""The v1 API over TLS: accepted credentials, and the codes of errors (modelarts_03_0095)."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
from contextlib import closing
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest
import requests

from modelarts._auth.signing import AkSkAuth
from tests.emulator.cloud_client import CloudClient, assert_api_error, assert_iam_error, sdk_date, sign

CONFIG = {
    "worker_server_num": 1, "app_url": "/b/src/", "boot_file_url": "/b/src/a.py", "spec_id": 2, "engine_id": 1,
    "data_url": "/b/data/",
}  # fmt: skip


def test_a_token_is_accepted(cloud: CloudClient):
    reply = cloud.send("GET", f"{cloud.v1}/job/ai-engines", headers={"X-Auth-Token": cloud.token()})

    assert (reply.status_code, reply.json()["is_success"]) == (200, True)


def test_signatures_of_the_general_sdk_are_accepted(cloud: CloudClient):
    project = {"X-Project-Id": cloud.account.project_id}
    query = [("search_content", "a b/ä~+%2F"), ("per_page", 10), ("page", 1), ("order", "asc")]
    body = json.dumps({**CONFIG, "config_name": "signed", "config_desc": "签名 ä"}, ensure_ascii=False).encode()
    signed_requests = [
        cloud.signed("POST", f"{cloud.v1}/training-job-configs", (), project, body),
        cloud.signed("PUT", f"{cloud.v1}/training-job-configs/signed", (), project, body),
        cloud.signed("GET", f"{cloud.v1}/training-job-configs", query, project),
        cloud.signed("GET", f"{cloud.v1}/job/ai-engines/"),
        cloud.signed("DELETE", f"{cloud.v1}/training-job-configs/signed", (), {"X-Any": "ä à"}),
    ]

    for request in signed_requests:
        assert cloud.send_prepared(request).json()["is_success"], request.url


def test_signatures_of_this_sdk_are_accepted(cloud: CloudClient):
    auth = AkSkAuth(cloud.account.access_key, cloud.account.secret_key, cloud.account.project_id)
    for query in ("?search_content=a%20b%2F~&page=1", "?search_content=a+b", ""):
        url, headers = f"{cloud.v1}/training-jobs{query}", {"Content-Type": "application/json"}
        auth.apply("GET", url, headers, b"")

        assert cloud.send("GET", url, headers=headers).json()["is_success"], query


def test_the_documented_form_of_the_header_is_accepted(cloud: CloudClient):
    request = cloud.signed("GET", f"{cloud.v1}/job/ai-engines")
    key = cloud.account.access_key
    scope = f"Credential={key}/{sdk_date()[:8]}/{cloud.account.region}/modelarts/sdk_request"
    request.headers["Authorization"] = request.headers["Authorization"].replace(f"Access={key}", scope)

    assert cloud.send_prepared(request).json()["is_success"]


def test_an_additional_slash_at_either_end_is_accepted_and_signed(cloud: CloudClient):
    host = urlsplit(cloud.address.url).netloc
    trusted = ssl.create_default_context(cafile=cloud.address.ca_bundle)
    path = f"/v1/{cloud.account.project_id}/job/ai-engines"

    for path_variant in (f"/{path}", f"{path}/"):
        request = cloud.signed("GET", f"{cloud.address.url}{path_variant}")
        with closing(http.client.HTTPSConnection(host, context=trusted)) as connection:  # `requests` normalizes paths
            connection.request("GET", path_variant, headers=dict(request.headers))
            assert json.load(connection.getresponse())["is_success"], path_variant


def test_temporary_keys_are_accepted_only_with_their_security_token(cloud: CloudClient):
    keys, others = cloud.temporary_keys(), cloud.temporary_keys()

    def send(headers: dict[str, str]) -> requests.Response:
        url = f"{cloud.v1}/job/ai-engines"
        return cloud.send_prepared(sign(keys["access"], keys["secret"], "GET", url, headers=headers))

    assert send({"X-Security-Token": keys["securitytoken"]}).json()["is_success"]
    assert_api_error(send({}), 403, "ModelArts.0206")
    assert_api_error(send({"X-Security-Token": "guess"}), 403, "ModelArts.0206")
    assert_api_error(send({"X-Security-Token": others["securitytoken"]}), 403, "ModelArts.0206")


def test_the_accounts_keys_reject_a_security_token(cloud: CloudClient):
    url = f"{cloud.v1}/job/ai-engines"

    for token in (cloud.temporary_keys()["securitytoken"], "guess"):
        request = cloud.signed("GET", url, headers={"X-Security-Token": token})
        assert_api_error(cloud.send_prepared(request), 403, "ModelArts.0206")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "ModelArts.0201"),
        ({"X-Auth-Token": ""}, 401, "ModelArts.0201"),
        ({"X-Auth-Token": "guess"}, 401, "ModelArts.0203"),
        ({"X-Auth-Token": "A" * 120}, 403, "ModelArts.0203"),
        ({"X-Sdk-Date": "20260101T000000Z"}, 401, "ModelArts.0205"),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, 401, "ModelArts.0206"),
    ],
)
def test_requests_without_valid_credentials_are_rejected(cloud: CloudClient, headers, status, code):
    for method, path in (("GET", "/job/ai-engines"), ("POST", "/training-jobs"), ("GET", "/nothing")):
        assert_api_error(cloud.send(method, cloud.v1 + path, headers=headers), status, code)


def test_the_token_of_the_local_address_is_not_accepted(cloud: CloudClient, iam_home):
    from modelarts.local import daemon

    reply = cloud.send("GET", f"{cloud.v1}/job/ai-engines", headers={"X-Auth-Token": daemon.find(iam_home).token})

    assert reply.json()["error_code"] == "ModelArts.0203"


def test_a_wrong_secret_or_an_unknown_key_is_rejected(cloud: CloudClient):
    url = f"{cloud.v1}/job/ai-engines"

    assert_api_error(cloud.send_prepared(sign(cloud.account.access_key, "guess", "GET", url)), 401, "ModelArts.0208")
    assert_api_error(cloud.send_prepared(sign("GUESS", cloud.account.secret_key, "GET", url)), 403, "ModelArts.0206")


def test_a_modified_request_is_rejected(cloud: CloudClient):
    body = json.dumps({**CONFIG, "config_name": "changed"}).encode()
    changed = [cloud.signed("POST", f"{cloud.v1}/training-job-configs", (), {}, body) for _ in range(4)]
    changed[0].body = body.replace(b"/b/data/", b"/b/date/")
    changed[1].url += "?page=1"
    changed[2].headers["X-Sdk-Date"] = sdk_date(datetime.now(timezone.utc) + timedelta(seconds=1))
    changed[3].headers["Content-Type"] = "application/json; charset=utf-8"

    for request in changed:
        assert_api_error(cloud.send_prepared(request), 401, "ModelArts.0208")
    assert cloud.send_prepared(cloud.signed("GET", f"{cloud.v1}/training-job-configs/changed")).status_code == 404


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_signature_of_another_time_has_expired(cloud: CloudClient, minutes):
    date = sdk_date(datetime.now(timezone.utc) + timedelta(minutes=minutes))
    request = cloud.signed("GET", f"{cloud.v1}/job/ai-engines", (), {"X-Sdk-Date": date})

    assert date in assert_api_error(cloud.send_prepared(request), 401, "ModelArts.0207")


def test_a_missing_signed_header_is_rejected(cloud: CloudClient):
    request = cloud.signed("GET", f"{cloud.v1}/job/ai-engines", (), {"X-Any": "1"})
    del request.headers["X-Any"]

    assert "x-any" in assert_api_error(cloud.send_prepared(request), 401, "ModelArts.0208")


def test_another_project_is_rejected(cloud: CloudClient):
    url = f"{cloud.address.url}/v1/{'0' * 32}/job/ai-engines"

    assert_api_error(cloud.send("GET", url, headers={"X-Auth-Token": cloud.token()}), 403, "ModelArts.0210")
    assert_api_error(cloud.send_prepared(cloud.signed("GET", url)), 403, "ModelArts.0210")
    named = cloud.signed("GET", f"{cloud.v1}/job/ai-engines", (), {"X-Project-Id": "0" * 32})
    assert_api_error(cloud.send_prepared(named), 400, "ModelArts.0210")


def test_a_token_for_the_account_has_no_project(cloud: CloudClient):
    body = cloud.login()
    body["auth"]["scope"] = {"domain": {"name": cloud.account.account}}
    token = cloud.send("POST", f"{cloud.address.url}/v3/auth/tokens", json=body).headers["X-Subject-Token"]

    reply = cloud.send("GET", f"{cloud.v1}/job/ai-engines", headers={"X-Auth-Token": token})

    assert_api_error(reply, 401, "ModelArts.0212")


def test_a_chunked_body_is_verified(cloud: CloudClient):
    body = json.dumps({**CONFIG, "config_name": "chunked"}).encode()
    request = cloud.signed("POST", f"{cloud.v1}/training-job-configs", (), {}, body)
    del request.headers["Content-Length"]
    request.headers["Transfer-Encoding"] = "chunked"
    request.body = iter([body[:10], body[10:]])

    assert cloud.send_prepared(request).json()["is_success"]


def test_a_body_beyond_the_limit_is_rejected(cloud: CloudClient):
    request = cloud.signed("POST", f"{cloud.v1}/training-jobs", (), {}, b" " * (12 * 1024 * 1024 + 1))

    assert_api_error(cloud.send_prepared(request), 413, "ModelArts.0104")


def test_responses_have_a_date_and_a_request_id(cloud: CloudClient):
    paths = ("v1/x/job/ai-engines", "v3/projects", "x")

    replies = [cloud.send("GET", f"{cloud.address.url}/{path}") for path in paths]

    found = [re.fullmatch(r"([0-9a-f]{32})-(\d{13})-(.+)", reply.headers["X-request-id"]) for reply in replies]
    assert len({match[1] for match in found}) == len(replies)
    assert {match[3] for match in found} == {socket.gethostname()}
    dates = [parsedate_to_datetime(reply.headers["Date"]).timestamp() for reply in replies]
    for timestamp in dates + [int(match[2]) / 1000 for match in found]:
        assert abs(timestamp - datetime.now().timestamp()) < 60


def test_another_host_name_is_rejected(cloud: CloudClient):
    headers = {"X-Auth-Token": cloud.token(), "Host": "attacker.example"}

    assert_api_error(cloud.send("GET", f"{cloud.v1}/job/ai-engines", headers=headers), 403, "ModelArts.0108")
    assert cloud.send("GET", f"{cloud.address.url}/v3/projects", headers=headers).status_code == 403


# --- TLS


def test_the_certificate_is_valid_for_both_local_names_and_trusted_only_with_its_ca_file(cloud: CloudClient):
    port = urlsplit(cloud.address.url).port
    for host in ("127.0.0.1", "localhost"):
        assert cloud.send("GET", f"https://{host}:{port}/v1/x").status_code == 401

    with pytest.raises(requests.exceptions.SSLError):
        cloud.http.get(f"{cloud.address.url}/x", timeout=10)


def test_strict_clients_accept_the_certificate(cloud: CloudClient):
    context = ssl.create_default_context(cafile=cloud.address.ca_bundle)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    address = ("127.0.0.1", urlsplit(cloud.address.url).port)

    with socket.create_connection(address, 10) as raw, context.wrap_socket(raw, server_hostname="localhost") as tls:
        assert tls.version() == "TLSv1.3"


def test_http_without_tls_is_reported(cloud: CloudClient):
    reply = requests.get(cloud.address.url.replace("https:", "http:"), timeout=10)

    assert (reply.status_code, reply.text) == (400, "This address is for https:// only")


def test_clients_that_stall_in_the_handshake_do_not_block_others(cloud: CloudClient):
    address = ("127.0.0.1", urlsplit(cloud.address.url).port)
    stalled = [socket.create_connection(address, 10) for _ in range(8)]
    try:
        reply = cloud.http.get(f"{cloud.address.url}/v1/x", verify=cloud.address.ca_bundle, timeout=3)
    finally:
        for connection in stalled:
            connection.close()

    assert reply.status_code == 401


OTHER_PATHS = [
    ("GET", "/v2/{}/training-jobs", 404, "it serves the v1 API"),
    ("POST", "/v2/{}/training-jobs", 404, "it serves the v1 API"),
    ("GET", "/v2", 404, "is not a route of this service"),
    ("GET", "/v1", 404, "is not a route of this service"),
    ("GET", "/v1/{}/no-such-thing", 404, "is not a route of this service"),
]


@pytest.mark.parametrize(("method", "path", "status", "said"), OTHER_PATHS)
def test_paths_of_the_api_are_not_those_of_buckets(cloud: CloudClient, method: str, path: str, status: int, said: str):
    path = path.format(cloud.account.project_id)

    reply = cloud.send(method, f"{cloud.address.url}{path}", headers={"X-Auth-Token": cloud.token()}, json={})

    assert said in assert_api_error(reply, status, "ModelArts.0015")


@pytest.mark.parametrize("path", ["/v3", "/v3/", "/v3/users", "/v3.0/OS-USER/users"])
def test_paths_of_iam_are_not_those_of_buckets(cloud: CloudClient, path: str):
    assert_iam_error(cloud.send("GET", f"{cloud.address.url}{path}"), 404, "Not Found")
