"""Requests signed by Huawei's general SDK, which is not ours: what the service must accept."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from urllib.parse import urlsplit

import attrs
import requests

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own dependencies
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.sdk_request import SdkRequest
    from huaweicloudsdkcore.signer.signer import Signer

from modelarts.local.daemon import CloudAddress
from modelarts.local.emulator.iam.accounts import Account


def stamp(timestamp: datetime | None = None) -> str:
    """A moment, by default this one, as X-Sdk-Date has it."""
    return (timestamp or datetime.now(timezone.utc)).strftime("%Y%m%dT%H%M%SZ")


def sign(
    access_key: str, secret_key: str, method: str, url: str, query: Iterable[tuple[str, object]] = (),
    headers: Mapping[str, str] | None = None, body: bytes = b"",
) -> requests.PreparedRequest:  # fmt: skip
    """A request with its signature, ready to be sent as it is."""
    parts = urlsplit(url)
    signed = Signer(BasicCredentials(access_key, secret_key)).sign(SdkRequest(
        method=method, schema=parts.scheme, host=parts.netloc, resource_path=parts.path, query_params=list(query),
        header_params={"X-Sdk-Date": stamp(), "Content-Type": "application/json", **(headers or {})}, body=body,
    ))  # fmt: skip
    request = requests.Request(method, f"{parts.scheme}://{parts.netloc}", headers=signed.header_params, data=body)
    prepared = request.prepare()
    prepared.url = f"{parts.scheme}://{parts.netloc}{signed.uri}"
    return prepared


@attrs.frozen
class Caller:
    """Calls one service that answers as the cloud does, with a bare HTTP client that checks its certificate."""

    address: CloudAddress
    account: Account
    http: requests.Session

    @property
    def v1(self) -> str:
        return f"{self.address.url}/v1/{self.account.project_id}"

    def send(self, method: str, url: str, **options: object) -> requests.Response:
        return self.http.request(method, url, verify=self.address.ca_bundle, timeout=10, **options)  # type: ignore[arg-type]

    def send_prepared(self, request: requests.PreparedRequest) -> requests.Response:
        return self.http.send(request, verify=self.address.ca_bundle, timeout=10, allow_redirects=False)

    def signed(
        self, method: str, url: str, query: Iterable[tuple[str, object]] = (),
        headers: Mapping[str, str] | None = None, body: bytes = b"",
    ) -> requests.PreparedRequest:  # fmt: skip
        """A request that is signed with the account's own keys."""
        return sign(self.account.access_key, self.account.secret_key, method, url, query, headers, body)

    def login(self, **changes: object) -> dict[str, object]:
        """The documented body of a login; `changes` replace members of the user."""
        domain = {"name": self.account.account}
        user = {"name": self.account.username, "password": self.account.password, "domain": domain, **changes}
        scope = {"project": {"name": self.account.region}}
        return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}

    def token(self) -> str:
        reply = self.send("POST", f"{self.address.url}/v3/auth/tokens", json=self.login())
        return reply.headers["X-Subject-Token"]

    def temporary_keys(self) -> dict[str, str]:
        body = {"auth": {"identity": {"methods": ["token"]}}}
        url = f"{self.address.url}/v3.0/OS-CREDENTIAL/securitytokens"
        credential: dict[str, str] = self.send("POST", url, json=body, headers={"X-Auth-Token": self.token()}).json()[
            "credential"
        ]
        return credential


def refused(reply: requests.Response, status: int, code: str) -> str:
    """Assert a refusal of the v1 API in its documented shape; its text."""
    body = reply.json()
    assert (reply.status_code, body["is_success"], body["error_code"]) == (status, False, code), body
    return str(body["error_msg"])


def refused_by_iam(reply: requests.Response, status: int, title: str) -> str:
    """Assert a refusal of IAM in its documented shape; its text."""
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["title"]) == (status, status, title), error
    return str(error["message"])
