"""The operations of IAM that a login needs: tokens, temporary keys, the projects of a region."""

from __future__ import annotations

import hmac
import json
import logging
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, Callable

import attrs
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.wrappers import Request

from modelarts.local.api.app import Activity, check_host
from modelarts.local.api.errors import ApiFailure
from modelarts.local.api.responses import Response
from modelarts.local.emulator.iam.accounts import DAY, Account
from modelarts.local.emulator.iam.authentication import IamAuthenticator, signed_request
from modelarts.local.emulator.iam.tokens import Tokens
from modelarts.local.emulator.iam.wrong_passwords import WrongPasswords
from modelarts.local.emulator.tls_connections import LOGIN_BYTES

logger = logging.getLogger("modelarts.local")

MIN_LIFETIME, MAX_LIFETIME = 900, int(DAY)  # of temporary keys in seconds; the minimum is the default


class IamApp:
    """The WSGI application of IAM for one account."""

    def __init__(self, account: Account, tokens: Tokens, authenticator: IamAuthenticator, activity: Activity) -> None:
        self._account = account
        self._tokens = tokens
        self._authenticator = authenticator
        self._activity = activity
        self._wrong_passwords = WrongPasswords()
        self._routes: dict[str, tuple[str, Callable[[Request], Response]]] = {
            "/v3/auth/tokens": ("POST", self._create_token),
            "/v3.0/OS-CREDENTIAL/securitytokens": ("POST", self._create_temporary_keys),
            "/v3/projects": ("GET", self._list_projects),
        }

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = LOGIN_BYTES
        try:
            response = self._respond(request)
        except ApiFailure as error:
            status = 401 if error.code.startswith("ModelArts.02") else error.status
            response = _failure(error.message, status, error.headers)
        except HTTPException as error:
            response = _failure(error.description or error.name, error.code or 500)
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            response = _failure("internal error of the local service; see its log for details", 500)
        return response.send(start_response)

    def _respond(self, request: Request) -> Response:
        self._activity.last = time.monotonic()
        check_host(request.host)
        method, handler = self._routes.get(request.environ.get("PATH_INFO", ""), ("", None))
        if handler is None:
            raise NotFound
        if request.method != method:
            raise MethodNotAllowed([method])
        return handler(request)

    def _create_token(self, request: Request) -> Response:
        account, body = self._account, _body(request)
        self._wrong_passwords.check(lambda: _has_password(account, body))
        project = _requested_project(account, body)
        token = self._tokens.issue(account.project_id if project else "")
        domain = {"id": account.domain_id, "name": account.account}
        scope: dict[str, Any] = {"project": {**project, "domain": domain}} if project else {"domain": domain}
        members = {
            "expires_at": _timestamp(token.expires),
            "issued_at": _timestamp(token.issued),
            "methods": ["password"],
            "catalog": [] if request.args.get("nocatalog") else _catalog(account, request.host_url),
            "roles": [{"id": "0", "name": "te_admin"}],
            "user": {"id": account.user_id, "name": account.username, "domain": domain, "password_expires_at": ""},
            **scope,
        }
        return Response({"token": members}, 201, {"X-Subject-Token": token.text})

    def _create_temporary_keys(self, request: Request) -> Response:
        identity = _member(_body(request), "auth", "identity")
        options = identity.get("token") or {}
        raw = signed_request(request)
        if isinstance(options, dict) and isinstance(options.get("id"), str):
            raw = attrs.evolve(raw, headers={"x-auth-token": options["id"], **raw.headers})
        self._authenticator.project_of(raw)
        if identity.get("methods") != ["token"]:
            raise _bad_request('auth.identity.methods must be ["token"]; agencies are not available locally')
        keys = self._tokens.temporary_keys(_lifetime(options))
        credential = {
            "access": keys.access_key,
            "secret": keys.secret_key,
            "securitytoken": keys.security_token,
            "expires_at": _timestamp(keys.expires),
        }
        return Response({"credential": credential}, 201)

    def _list_projects(self, request: Request) -> Response:
        account = self._account
        self._authenticator.project_of(signed_request(request))
        matches = request.args.get("name", account.region) == account.region
        link = f"{request.host_url}v3/projects"
        project = {
            **_project(account),
            "domain_id": account.domain_id,
            "parent_id": account.domain_id,
            "is_domain": False,
            "description": "",
            "enabled": True,
            "links": {"next": None, "previous": None, "self": f"{link}/{account.project_id}"},
        }
        links = {"next": None, "previous": None, "self": link}
        return Response({"projects": [project] if matches else [], "links": links})


def _has_password(account: Account, body: Any) -> bool:
    if _member(body, "auth", "identity").get("methods") != ["password"]:
        raise _bad_request('auth.identity.methods must be ["password"]')
    user = _member(body, "auth", "identity", "password", "user")
    domain = _member(user, "domain")
    owner = _equals(user.get("name"), account.account)  # an account has a user of its own name
    matches = [
        _equals(user.get("name"), account.username) | _equals(user.get("id"), account.user_id) | owner,
        _equals(domain.get("name"), account.account) | _equals(domain.get("id"), account.domain_id),
        _equals(user.get("password"), account.password),
    ]
    return all(matches)


def _requested_project(account: Account, body: Any) -> dict[str, str]:
    """The project that a token is requested for; empty for a token of the account."""
    scope = body["auth"].get("scope") or {}
    if not isinstance(scope, dict) or not isinstance(scope.get("project") or {}, dict):
        raise _bad_request("auth.scope must be an object with project or domain")
    requested = scope.get("project")
    if not requested:
        return {}
    project = _project(account)
    if requested.get("id") != project["id"] and requested.get("name") != project["name"]:
        raise ApiFailure("", f"Could not find project: {requested.get('name') or requested.get('id')}.", 404)
    return project


def _project(account: Account) -> dict[str, str]:
    return {"id": account.project_id, "name": account.region}


def _catalog(account: Account, host_url: str) -> list[dict[str, Any]]:
    root = host_url.rstrip("/")
    services = (("iam", f"{root}/v3.0"), ("modelarts", f"{root}/v1/{account.project_id}"), ("obs", root))
    return [
        {"id": name, "name": name, "type": name, "endpoints": [
            {"id": name, "interface": "public", "region": account.region, "region_id": account.region, "url": url},
        ]}
        for name, url in services
    ]  # fmt: skip


def _lifetime(options: Any) -> int:
    """The requested lifetime of temporary keys: a number or its text, under either name (iam_04_0002)."""
    if not isinstance(options, dict):
        raise _bad_request("auth.identity.token must be an object")
    value = options.get("duration_seconds", options.get("duration-seconds", MIN_LIFETIME))
    try:
        seconds = int(str(value))
    except ValueError:
        seconds = 0
    if not MIN_LIFETIME <= seconds <= MAX_LIFETIME:
        rule = f"a whole number from {MIN_LIFETIME} to {MAX_LIFETIME}"
        raise _bad_request(f"duration_seconds must be {rule}, got {value!r}")
    return seconds


def _body(request: Request) -> Any:
    try:
        return json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise _bad_request("the body is not JSON") from None


def _member(body: Any, *names: str) -> dict[str, Any]:
    for name in names:
        body = body.get(name) if isinstance(body, dict) else None
        if not isinstance(body, dict):
            raise _bad_request(f"Expecting to find {'.'.join(names)} in the body, an object")
    members: dict[str, Any] = body
    return members


def _equals(value: Any, expected: str) -> bool:
    return isinstance(value, str) and hmac.compare_digest(value.encode("utf-8", "replace"), expected.encode())


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _bad_request(message: str) -> ApiFailure:
    return ApiFailure("", message, 400)


def _failure(message: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """A failure as IAM reports it: the code is the HTTP status."""
    error = {"code": status, "message": message, "title": HTTP_STATUS_CODES[status]}
    return Response({"error": error}, status, headers or {})
