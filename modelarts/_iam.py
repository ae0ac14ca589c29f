"""Logging in with a password: a token for the API, and temporary keys for buckets (modelarts_03_0004)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import attrs
import requests
from dateutil import parser

from modelarts._auth import Auth, Keys
from modelarts._transport import Attempt, Transport
from modelarts._wire import replies
from modelarts.errors import AuthError, BadReply, ConfigError, ConnectionFailed

KEYS_LIFETIME = timedelta(hours=24)
EARLY = 0.1  # a proof is renewed when this part of its life is left, or less than this:
EARLIEST = timedelta(minutes=5)


@attrs.frozen
class _Lease:
    """Something that is valid for a time."""

    value: Any = attrs.field(repr=False)
    made: datetime
    ends: datetime

    @property
    def is_fresh(self) -> bool:
        margin = min((self.ends - self.made) * EARLY, EARLIEST)
        return _now() < self.ends - margin


class PasswordAuth:
    """A user's password, exchanged for a token that is kept in memory and renewed before it ends.

    One thread renews while others wait. Nothing is asked before the first call.

    Args:
        transport: sends the requests to IAM.
        iam_endpoint: its address.
        account: account (domain) name; the user's name when empty.
        username, password: of the user.
        region_name: region, whose project the token is for.
    """

    def __init__(
        self, transport: Transport, iam_endpoint: str, account: str, username: str, password: str, region_name: str
    ) -> None:
        self._transport = transport
        self._endpoint = iam_endpoint.rstrip("/")
        self._account = account or username
        self._username = username
        self._password = password
        self._region = region_name
        self._lock = threading.RLock()
        self._token: _Lease | None = None
        self._keys: _Lease | None = None
        self._sent = threading.local()

    def __repr__(self) -> str:
        return f"PasswordAuth(account={self._account!r}, username={self._username!r}, region_name={self._region!r})"

    @property
    def project_id(self) -> str:
        """The project that the token is for."""
        return str(self._valid_token().value["project_id"])

    def apply(self, method: str, url: str, headers: dict[str, str], body: bytes) -> None:
        self._sent.lease = self._valid_token()
        headers["X-Auth-Token"] = self._sent.lease.value["token"]

    def renew(self) -> bool:
        """After a 401: a new token, unless another thread has fetched one since this thread's was sent."""
        with self._renewing():
            if self._token is getattr(self._sent, "lease", None):
                self._token = self._log_in()
        return True

    def keys(self) -> Keys:
        """Temporary keys, renewed like the token."""
        with self._renewing():
            if self._keys is None or not self._keys.is_fresh:
                self._keys = self._fetch_keys()
            keys: Keys = self._keys.value
        return keys

    def _valid_token(self) -> _Lease:
        lease = self._token
        if lease is not None and lease.is_fresh:
            return lease
        with self._renewing():
            if self._token is None or not self._token.is_fresh:
                self._token = self._log_in()
            return self._token

    @contextmanager
    def _renewing(self) -> Iterator[None]:
        """One thread at a time; the others wait, but no longer than their own calls may take."""
        if not self._lock.acquire(timeout=max(self._transport.left, 0)):
            raise ConnectionFailed("IAM has not answered in time: another thread still waits for it", "POST",
                                   self._endpoint)  # fmt: skip
        try:
            yield
        finally:
            self._lock.release()

    def _log_in(self) -> _Lease:
        user = {"name": self._username, "password": self._password, "domain": {"name": self._account}}
        scope = {"project": {"domain": {"name": self._account}, "name": self._region}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        made = _now()
        reply = _exchange(self._transport, "POST", f"{self._endpoint}/v3/auth/tokens", {}, body)
        members = _members(reply, "token")
        token = reply.headers.get("X-Subject-Token", "")
        project = (members.get("project") or {}).get("id", "")
        if not token:
            raise BadReply("IAM answered a login without the header X-Subject-Token", reply.status_code)
        return _Lease({"token": token, "project_id": project}, made, _moment(members, made + KEYS_LIFETIME))

    def _fetch_keys(self) -> _Lease:
        seconds = str(int(KEYS_LIFETIME.total_seconds()))
        body = {"auth": {"identity": {"methods": ["token"], "token": {"duration-seconds": seconds}}}}
        headers = {"X-Auth-Token": self._valid_token().value["token"]}
        made = _now()
        url = f"{self._endpoint}/v3.0/OS-CREDENTIAL/securitytokens"
        credential = _members(_exchange(self._transport, "POST", url, headers, body), "credential")
        try:
            keys = Keys(credential["access"], credential["secret"], credential["securitytoken"])
        except KeyError as missing:
            raise BadReply(f"IAM answered temporary keys without {missing}") from None
        return _Lease(keys, made, _moment(credential, made + KEYS_LIFETIME))


def project_of(transport: Transport, iam_endpoint: str, auth: Auth, region_name: str) -> str:
    """The id of the project whose name is the region's (modelarts_03_0147).

    Raises:
        ConfigError: there is none of that name, or several.
        AuthError: IAM refused.
    """
    url = f"{iam_endpoint.rstrip('/')}/v3/projects?name={quote(region_name, safe='')}"
    projects = _members(_exchange(transport, "GET", url, {}, None, auth), "projects")
    found = [project["id"] for project in projects if project.get("name") == region_name]
    if len(found) != 1:
        raise ConfigError(
            f"project_id: the account has {len(found)} projects named {region_name!r}; give project_id yourself "
            "(console: My Credentials)"
        )
    return str(found[0])


def _exchange(
    transport: Transport, method: str, url: str, headers: dict[str, str], body: Any, auth: Auth | None = None
) -> requests.Response:
    """One request to IAM. Its POSTs make nothing that lasts, so they are repeated like any other."""
    content = b"" if body is None else json.dumps(body).encode()

    def prepare() -> Attempt:
        sent = {"Content-Type": "application/json", **headers}
        if method == "POST":
            sent["Content-Length"] = str(len(content))
        if auth is not None:
            auth.apply(method, url, sent, content)
        return Attempt(method, url, sent, content)

    return transport.send(prepare, repeatable=True)


def _members(reply: requests.Response, name: str) -> Any:
    """The wanted member of an answer. Raises `AuthError` for a refusal, `BadReply` for what is no answer."""
    try:
        members = replies.parse(reply.content)
    except ValueError:
        members = None
    if reply.status_code < 300 and isinstance(members, dict) and name in members:
        return members[name]
    url, method = str(reply.url), str(reply.request.method)
    refusal = members.get("error") if isinstance(members, dict) else None
    if reply.status_code >= 400 and isinstance(refusal, dict):
        code, text = str(refusal.get("code", "")), str(refusal.get("message", ""))
        request_id = reply.headers.get("X-Request-Id", "")
        raise AuthError(reply.status_code, code, f"IAM refused: {text}", request_id, method, url)
    raise BadReply(f"{method} {url} answered HTTP {reply.status_code} with what is no IAM reply. "
                   "Check the IAM endpoint, and proxies on the way.", reply.status_code, method, url)  # fmt: skip


def _moment(members: dict[str, Any], otherwise: datetime) -> datetime:
    """When it ends, as IAM says."""
    try:
        moment = parser.isoparse(members["expires_at"])
    except (KeyError, TypeError, ValueError):
        return otherwise
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _now() -> datetime:
    return datetime.now(timezone.utc)
