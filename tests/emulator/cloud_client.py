"""An HTTP client for the emulator, which signs requests with the general SDK of Huawei."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from urllib.parse import urlsplit

import attrs
import requests

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its dependencies
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.sdk_request import SdkRequest
    from huaweicloudsdkcore.signer.signer import Signer

from modelarts.local.emulator.iam.accounts import Account
from modelarts.local.service_address import CloudAddress


def sdk_date(timestamp: datetime | None = None) -> str:
    """A time (default: now) in the format of X-Sdk-Date."""
    return (timestamp or datetime.now(timezone.utc)).strftime("%Y%m%dT%H%M%SZ")


def sign(
    access_key: str, secret_key: str, method: str, url: str, query: Iterable[tuple[str, object]] = (),
    headers: Mapping[str, str] | None = None, body: bytes = b"",
) -> requests.PreparedRequest:  # fmt: skip
    """A signed request, ready to be sent unchanged."""
    parts = urlsplit(url)
    signed = Signer(BasicCredentials(access_key, secret_key)).sign(SdkRequest(
        method=method, schema=parts.scheme, host=parts.netloc, resource_path=parts.path, query_params=list(query),
        header_params={"X-Sdk-Date": sdk_date(), "Content-Type": "application/json", **(headers or {})}, body=body,
    ))  # fmt: skip
    request = requests.Request(method, f"{parts.scheme}://{parts.netloc}", headers=signed.header_params, data=body)
    prepared = request.prepare()
    prepared.url = f"{parts.scheme}://{parts.netloc}{signed.uri}"
    return prepared


@attrs.frozen
class CloudClient:
    """Calls the emulator with a bare HTTP client that checks its certificate."""

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
        """A request signed with the access key of the account."""
        return sign(self.account.access_key, self.account.secret_key, method, url, query, headers, body)

    def login(self, **changes: object) -> dict[str, object]:
        """The documented body of a login; `changes` replace members of `user`."""
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


def assert_api_error(reply: requests.Response, status: int, code: str) -> str:
    """Check an error of the v1 API in the documented format, and return its message."""
    body = reply.json()
    assert (reply.status_code, body["is_success"], body["error_code"]) == (status, False, code), body
    return str(body["error_msg"])


def assert_iam_error(reply: requests.Response, status: int, title: str) -> str:
    """Check an error of IAM in the documented format, and return its message."""
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["title"]) == (status, status, title), error
    return str(error["message"])
