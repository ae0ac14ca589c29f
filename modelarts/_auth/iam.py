"""The calls of IAM: a token for a password, temporary keys for a token, the project of a region."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Optional
from urllib.parse import quote

import attrs
import requests

from modelarts._auth.signing import Auth, Keys
from modelarts._transport.attempt import Attempt
from modelarts._transport.redaction import Secrets
from modelarts._transport.response import clock_ahead, error_of, to_response
from modelarts._transport.transport import Transport
from modelarts._wire import json_records
from modelarts.errors import AuthError, BadReply, ConfigError, NotFound

LIFETIME = timedelta(hours=24)
EARLY = 0.1  # a credential is renewed when this part of its lifetime is left, and no earlier than this time before:
EARLIEST = timedelta(minutes=5)

_CHECK_LOGIN = {
    "en": "Check account, username, password and region_name; without account, username is that of the account.",
    "zh": "请检查 account、username、password 和 region_name；未给出 account 时，username 即账号名。",
}
_CHECK_KEYS = {
    "en": "Check access_key and secret_key, with the security_token of temporary ones, region_name, and what the user "
          "may do; if project_id is given, IAM is not queried.",
    "zh": "请检查 access_key、secret_key（临时密钥还需 security_token）、region_name 以及用户权限；"
          "给出 project_id 则无需查询 IAM。",
}  # fmt: skip
_CHECK_ADDRESS = {
    "en": "Check account and region_name, and iam_endpoint: the address of IAM, without a path such as /v3.",
    "zh": "请检查 account、region_name 以及 iam_endpoint：它是 IAM 的地址，不含 /v3 之类的路径。",
}  # fmt: skip


@attrs.frozen(eq=False)
class ExpiringCredential:
    """A credential that is valid for some time, by this machine's clock."""

    value: Any = attrs.field(repr=False)
    created: datetime
    expires: datetime

    @property
    def is_valid(self) -> bool:
        return _now() < self.expires

    @property
    def is_fresh(self) -> bool:
        """Whether it is too early to renew it."""
        margin = min((self.expires - self.created) * EARLY, EARLIEST)
        return _now() < self.expires - margin


@attrs.frozen
class Token:
    """A token, and the project that it is for."""

    text: str = attrs.field(repr=False)
    project_id: str


@attrs.frozen
class Iam:
    """IAM at a URL. All methods raise `ApiError` if it refuses, and `BadReply` for what is not a reply of IAM."""

    transport: Transport
    url: str

    def log_in(self, account: str, username: str, password: str, region_name: str) -> ExpiringCredential:
        """Get a `Token` for a user of an account, in a region (modelarts_03_0004)."""
        user = {"name": username, "password": password, "domain": {"name": account}}
        scope = {"project": {"domain": {"name": account}, "name": region_name}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        reply = self._ask("POST", "/v3/auth/tokens", {}, body)
        members = _members(reply, "token", dict, self._secrets(reply, password), _CHECK_LOGIN)
        project = members.get("project") or {}
        text = reply.headers.get("X-Subject-Token", "")
        if not _usable(text) or not isinstance(project, dict):
            raise _not_iam(reply)
        return _expiring(Token(text, str(project.get("id") or "")), members, reply)

    def temporary_keys(self, token: str) -> ExpiringCredential:
        """Get `Keys` for a day."""
        seconds = str(int(LIFETIME.total_seconds()))
        body = {"auth": {"identity": {"methods": ["token"], "token": {"duration-seconds": seconds}}}}
        reply = self._ask("POST", "/v3.0/OS-CREDENTIAL/securitytokens", {"X-Auth-Token": token}, body)
        credential = _members(reply, "credential", dict, self._secrets(reply))
        texts = [credential.get(name) for name in ("access", "secret", "securitytoken")]
        if not all(map(_usable, texts)):
            raise _not_iam(reply)
        return _expiring(Keys(*texts), credential, reply)

    def project_of(self, auth: Auth, region_name: str) -> str:
        """Get the id of the project that has the name of the region (modelarts_03_0147).

        Raises:
            ConfigError: there is no such project, or several.
        """
        reply = self._ask("GET", f"/v3/projects?name={quote(region_name, safe='')}", {}, None, auth)
        projects = _members(reply, "projects", list, self._secrets(reply), _CHECK_KEYS)
        if not all(isinstance(project, dict) and isinstance(project.get("id"), str) for project in projects):
            raise _not_iam(reply)
        found = [project["id"] for project in projects if project.get("name") == region_name]
        if len(found) != 1:
            raise ConfigError(
                f"project_id: the account has {len(found)} projects named {region_name!r}; set project_id "
                "(console: My Credentials)"
            )
        return str(found[0])

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str], body: Any, auth: Auth | None = None
    ) -> requests.Response:
        """Send a request. These POSTs create nothing that lasts, so they are repeated like any other request."""
        content = b"" if body is None else json.dumps(body).encode()
        url = self.url.rstrip("/") + path

        def prepare() -> Attempt:
            sent = {"Content-Type": "application/json", **headers}
            if method == "POST":
                sent["Content-Length"] = str(len(content))
            if auth is not None:
                auth.apply(method, url, sent, content)
            return Attempt(method, url, sent, content)

        return self.transport.send(prepare, repeatable=True)

    def _secrets(self, reply: requests.Response, *others: str) -> Secrets:
        return self.transport.secrets_of(reply.request, *others)


def _members(
    reply: requests.Response, name: str, kind: type, secrets: Secrets, next_step: Optional[Mapping[str, str]] = None
) -> Any:
    """A member of a reply.

    Args:
        next_step: what to do if the credentials are refused, where the caller knows better than the error code.
    """
    try:
        members = json_records.parse(reply.content)
    except ValueError:
        members = None
    if not isinstance(members, dict):
        raise _not_iam(reply)
    if reply.status_code < 300 and isinstance(members.get(name), kind):
        return members[name]
    if reply.status_code < 400 or not members:
        raise _not_iam(reply)
    members, headers = secrets.redact(members), secrets.redact(reply.headers)
    error = error_of(to_response(members, reply.status_code, headers, str(reply.request.method), str(reply.url)))
    if isinstance(error, NotFound):
        error.advice = error.advice._replace(next_step=_CHECK_ADDRESS)
    elif next_step is not None and isinstance(error, AuthError):
        off = 0.0 if next_step is _CHECK_LOGIN else error.advice.clock_ahead  # nothing is signed
        error.advice = error.advice._replace(next_step=next_step, clock_ahead=off)
    raise error


def _usable(text: Any) -> bool:
    """Whether a text can be sent in a header, as keys and tokens are."""
    return isinstance(text, str) and text.isascii() and text.isprintable() and text.strip() == text != ""


def _not_iam(reply: requests.Response) -> BadReply:
    method, url = str(reply.request.method), str(reply.url)
    return BadReply(
        f"{method} {url} answered HTTP {reply.status_code} with a body that is not an IAM reply. "
        "Check the IAM endpoint, and proxies in between.",
        reply.status_code, method, url,
    )  # fmt: skip


def _expiring(value: Any, members: Mapping[str, Any], reply: requests.Response) -> ExpiringCredential:
    """A credential that expires when IAM says, by the clock of IAM: a second earlier, as `Date` has whole seconds."""
    from dateutil import parser  # only IAM needs it

    created = _now()
    try:
        expires = parser.isoparse(members["expires_at"])
        expires = expires if expires.tzinfo else expires.replace(tzinfo=timezone.utc)
        ahead = clock_ahead(reply.headers)
        return ExpiringCredential(value, created, expires + timedelta(seconds=ahead - 1 if ahead else 0))
    except (KeyError, OverflowError, TypeError, ValueError):
        return ExpiringCredential(value, created, created + LIFETIME)


def _now() -> datetime:
    return datetime.now(timezone.utc)
