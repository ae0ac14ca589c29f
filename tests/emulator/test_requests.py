"""The v1 API over TLS: who is let in, and with which code the others are refused (modelarts_03_0095)."""

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
from tests.emulator.signing import Caller, refused, sign, stamp

CONFIG = {
    "worker_server_num": 1, "app_url": "/b/src/", "boot_file_url": "/b/src/a.py", "spec_id": 2, "engine_id": 1,
    "data_url": "/b/data/",
}  # fmt: skip


def test_a_token_is_accepted(caller: Caller):
    reply = caller.send("GET", f"{caller.v1}/job/ai-engines", headers={"X-Auth-Token": caller.token()})

    assert (reply.status_code, reply.json()["is_success"]) == (200, True)


def test_signatures_of_the_general_sdk_are_accepted(caller: Caller):
    project = {"X-Project-Id": caller.account.project_id}
    query = [("search_content", "a b/ä~+%2F"), ("per_page", 10), ("page", 1), ("order", "asc")]
    body = json.dumps({**CONFIG, "config_name": "signed", "config_desc": "签名 ä"}, ensure_ascii=False).encode()
    calls = [
        caller.signed("POST", f"{caller.v1}/training-job-configs", (), project, body),
        caller.signed("PUT", f"{caller.v1}/training-job-configs/signed", (), project, body),
        caller.signed("GET", f"{caller.v1}/training-job-configs", query, project),
        caller.signed("GET", f"{caller.v1}/job/ai-engines/"),
        caller.signed("DELETE", f"{caller.v1}/training-job-configs/signed", (), {"X-Any": "ä à"}),
    ]

    for call in calls:
        assert caller.send_prepared(call).json()["is_success"], call.url


def test_signatures_of_this_sdk_are_accepted(caller: Caller):
    auth = AkSkAuth(caller.account.access_key, caller.account.secret_key, caller.account.project_id)
    for query in ("?search_content=a%20b%2F~&page=1", "?search_content=a+b", ""):
        url, headers = f"{caller.v1}/training-jobs{query}", {"Content-Type": "application/json"}
        auth.apply("GET", url, headers, b"")

        assert caller.send("GET", url, headers=headers).json()["is_success"], query


def test_the_documented_form_of_the_header_is_accepted(caller: Caller):
    call = caller.signed("GET", f"{caller.v1}/job/ai-engines")
    key = caller.account.access_key
    scope = f"Credential={key}/{stamp()[:8]}/{caller.account.region}/modelarts/sdk_request"
    call.headers["Authorization"] = call.headers["Authorization"].replace(f"Access={key}", scope)

    assert caller.send_prepared(call).json()["is_success"]


def test_an_additional_slash_at_either_end_is_accepted_and_signed(caller: Caller):
    host = urlsplit(caller.address.url).netloc
    trusted = ssl.create_default_context(cafile=caller.address.ca_bundle)
    path = f"/v1/{caller.account.project_id}/job/ai-engines"

    for given in (f"/{path}", f"{path}/"):
        call = caller.signed("GET", f"{caller.address.url}{given}")
        with closing(http.client.HTTPSConnection(host, context=trusted)) as connection:  # requests would mend the path
            connection.request("GET", given, headers=dict(call.headers))
            assert json.load(connection.getresponse())["is_success"], given


def test_temporary_keys_are_accepted_only_with_their_security_token(caller: Caller):
    keys, others = caller.temporary_keys(), caller.temporary_keys()

    def send(headers: dict[str, str]) -> requests.Response:
        url = f"{caller.v1}/job/ai-engines"
        return caller.send_prepared(sign(keys["access"], keys["secret"], "GET", url, headers=headers))

    assert send({"X-Security-Token": keys["securitytoken"]}).json()["is_success"]
    refused(send({}), 403, "ModelArts.0206")
    refused(send({"X-Security-Token": "guess"}), 403, "ModelArts.0206")
    refused(send({"X-Security-Token": others["securitytoken"]}), 403, "ModelArts.0206")


def test_the_accounts_keys_reject_a_security_token(caller: Caller):
    url = f"{caller.v1}/job/ai-engines"

    for token in (caller.temporary_keys()["securitytoken"], "guess"):
        call = caller.signed("GET", url, headers={"X-Security-Token": token})
        refused(caller.send_prepared(call), 403, "ModelArts.0206")


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
def test_requests_without_valid_credentials_are_rejected(caller: Caller, headers, status, code):
    for method, path in (("GET", "/job/ai-engines"), ("POST", "/training-jobs"), ("GET", "/nothing")):
        refused(caller.send(method, caller.v1 + path, headers=headers), status, code)


def test_the_token_of_the_local_address_is_not_accepted(caller: Caller, iam_home):
    from modelarts.local import daemon

    reply = caller.send("GET", f"{caller.v1}/job/ai-engines", headers={"X-Auth-Token": daemon.find(iam_home).token})

    assert reply.json()["error_code"] == "ModelArts.0203"


def test_a_wrong_secret_or_an_unknown_key_is_rejected(caller: Caller):
    url = f"{caller.v1}/job/ai-engines"

    refused(caller.send_prepared(sign(caller.account.access_key, "guess", "GET", url)), 401, "ModelArts.0208")
    refused(caller.send_prepared(sign("GUESS", caller.account.secret_key, "GET", url)), 403, "ModelArts.0206")


def test_a_modified_request_is_rejected(caller: Caller):
    body = json.dumps({**CONFIG, "config_name": "changed"}).encode()
    made = [caller.signed("POST", f"{caller.v1}/training-job-configs", (), {}, body) for _ in range(4)]
    made[0].body = body.replace(b"/b/data/", b"/b/date/")
    made[1].url += "?page=1"
    made[2].headers["X-Sdk-Date"] = stamp(datetime.now(timezone.utc) + timedelta(seconds=1))
    made[3].headers["Content-Type"] = "application/json; charset=utf-8"

    for call in made:
        refused(caller.send_prepared(call), 401, "ModelArts.0208")
    assert caller.send_prepared(caller.signed("GET", f"{caller.v1}/training-job-configs/changed")).status_code == 404


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_signature_of_another_time_has_expired(caller: Caller, minutes):
    date = stamp(datetime.now(timezone.utc) + timedelta(minutes=minutes))
    call = caller.signed("GET", f"{caller.v1}/job/ai-engines", (), {"X-Sdk-Date": date})

    assert date in refused(caller.send_prepared(call), 401, "ModelArts.0207")


def test_a_missing_signed_header_is_rejected(caller: Caller):
    call = caller.signed("GET", f"{caller.v1}/job/ai-engines", (), {"X-Any": "1"})
    del call.headers["X-Any"]

    assert "x-any" in refused(caller.send_prepared(call), 401, "ModelArts.0208")


def test_another_project_is_rejected(caller: Caller):
    url = f"{caller.address.url}/v1/{'0' * 32}/job/ai-engines"

    refused(caller.send("GET", url, headers={"X-Auth-Token": caller.token()}), 403, "ModelArts.0210")
    refused(caller.send_prepared(caller.signed("GET", url)), 403, "ModelArts.0210")
    named = caller.signed("GET", f"{caller.v1}/job/ai-engines", (), {"X-Project-Id": "0" * 32})
    refused(caller.send_prepared(named), 400, "ModelArts.0210")


def test_a_token_for_the_account_has_no_project(caller: Caller):
    body = caller.login()
    body["auth"]["scope"] = {"domain": {"name": caller.account.account}}
    token = caller.send("POST", f"{caller.address.url}/v3/auth/tokens", json=body).headers["X-Subject-Token"]

    refused(caller.send("GET", f"{caller.v1}/job/ai-engines", headers={"X-Auth-Token": token}), 401, "ModelArts.0212")


def test_a_chunked_body_is_verified(caller: Caller):
    body = json.dumps({**CONFIG, "config_name": "chunked"}).encode()
    call = caller.signed("POST", f"{caller.v1}/training-job-configs", (), {}, body)
    del call.headers["Content-Length"]
    call.headers["Transfer-Encoding"] = "chunked"
    call.body = iter([body[:10], body[10:]])

    assert caller.send_prepared(call).json()["is_success"]


def test_a_body_beyond_the_limit_is_rejected(caller: Caller):
    call = caller.signed("POST", f"{caller.v1}/training-jobs", (), {}, b" " * (12 * 1024 * 1024 + 1))

    refused(caller.send_prepared(call), 413, "ModelArts.0104")


def test_responses_have_a_date_and_a_request_id(caller: Caller):
    paths = ("v1/x/job/ai-engines", "v3/projects", "x")

    replies = [caller.send("GET", f"{caller.address.url}/{path}") for path in paths]

    found = [re.fullmatch(r"([0-9a-f]{32})-(\d{13})-(.+)", reply.headers["X-request-id"]) for reply in replies]
    assert len({match[1] for match in found}) == len(replies)
    assert {match[3] for match in found} == {socket.gethostname()}
    dates = [parsedate_to_datetime(reply.headers["Date"]).timestamp() for reply in replies]
    for timestamp in dates + [int(match[2]) / 1000 for match in found]:
        assert abs(timestamp - datetime.now().timestamp()) < 60


def test_another_host_name_is_rejected(caller: Caller):
    headers = {"X-Auth-Token": caller.token(), "Host": "attacker.example"}

    refused(caller.send("GET", f"{caller.v1}/job/ai-engines", headers=headers), 403, "ModelArts.0108")
    assert caller.send("GET", f"{caller.address.url}/v3/projects", headers=headers).status_code == 403


# --- TLS


def test_the_certificate_is_for_both_names_of_this_machine_and_trusted_by_its_own_file_only(caller: Caller):
    port = urlsplit(caller.address.url).port
    for host in ("127.0.0.1", "localhost"):
        assert caller.send("GET", f"https://{host}:{port}/v1/x").status_code == 401

    with pytest.raises(requests.exceptions.SSLError):
        caller.http.get(f"{caller.address.url}/x", timeout=10)


def test_strict_clients_accept_the_certificate(caller: Caller):
    context = ssl.create_default_context(cafile=caller.address.ca_bundle)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    address = ("127.0.0.1", urlsplit(caller.address.url).port)

    with socket.create_connection(address, 10) as raw, context.wrap_socket(raw, server_hostname="localhost") as tls:
        assert tls.version() == "TLSv1.3"


def test_http_without_tls_is_reported(caller: Caller):
    reply = requests.get(caller.address.url.replace("https:", "http:"), timeout=10)

    assert (reply.status_code, reply.text) == (400, "This address is for https:// only")


def test_clients_that_stall_in_the_handshake_do_not_block_others(caller: Caller):
    address = ("127.0.0.1", urlsplit(caller.address.url).port)
    stalled = [socket.create_connection(address, 10) for _ in range(8)]
    try:
        reply = caller.http.get(f"{caller.address.url}/v1/x", verify=caller.address.ca_bundle, timeout=3)
    finally:
        for connection in stalled:
            connection.close()

    assert reply.status_code == 401
