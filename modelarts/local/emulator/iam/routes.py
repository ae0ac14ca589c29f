"""The calls of IAM that a login needs: a token, temporary keys, the project of a region."""

from __future__ import annotations

import hmac
import time
from datetime import datetime, timezone
from typing import Any

import attrs
from flask import Flask, Response, json, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from modelarts._wire.v1 import limits
from modelarts.local.api.app import Activity, check_host, logger
from modelarts.local.api.errors import ApiFailure
from modelarts.local.emulator.iam.accounts import DAY, Account
from modelarts.local.emulator.iam.authentication import Admission, received
from modelarts.local.emulator.iam.tokens import Tokens

SHORTEST, LONGEST = 900, int(DAY)  # of temporary keys: 15 minutes, which is also the default, to 24 hours


def create_app(account: Account, tokens: Tokens, admission: Admission, activity: Activity) -> Flask:
    """The application of IAM for one account."""
    app = Flask("modelarts.local.iam", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = limits.BODY_BYTES

    @app.before_request
    def admit() -> None:
        activity.last = time.monotonic()
        check_host(request.host)

    app.register_error_handler(Exception, _refused)

    @app.post("/v3/auth/tokens")
    def log_in() -> Response:
        body = _body()
        _check_password(account, body)
        project = _wanted_project(account, body)
        token = tokens.issue(account.project_id if project else "")
        domain = {"id": account.domain_id, "name": account.account}
        scope: dict[str, Any] = {"project": {**project, "domain": domain}} if project else {"domain": domain}
        members = {
            "expires_at": _moment(token.ends),
            "issued_at": _moment(token.issued),
            "methods": ["password"],
            "catalog": [] if request.args.get("nocatalog") else _catalog(account),
            "roles": [{"id": "0", "name": "te_admin"}],
            "user": {"id": account.user_id, "name": account.username, "domain": domain, "password_expires_at": ""},
            **scope,
        }
        response = _json({"token": members}, 201)
        response.headers["X-Subject-Token"] = token.text
        return response

    @app.post("/v3.0/OS-CREDENTIAL/securitytokens")
    def temporary_keys() -> Response:
        identity = _member(_body(), "auth", "identity")
        options = identity.get("token") or {}
        call = received(request)
        if isinstance(options, dict) and isinstance(options.get("id"), str):
            call = attrs.evolve(call, headers={"x-auth-token": options["id"], **call.headers})
        admission.project_of(call)
        if identity.get("methods") != ["token"]:
            raise _bad_request('auth.identity.methods must be ["token"]; agencies are not served locally')
        keys = tokens.temporary_keys(_seconds(options))
        credential = {
            "access": keys.access_key,
            "secret": keys.secret_key,
            "securitytoken": keys.security_token,
            "expires_at": _moment(keys.ends),
        }
        return _json({"credential": credential}, 201)

    @app.get("/v3/projects")
    def projects() -> Response:
        admission.project_of(received(request))
        there = request.args.get("name", account.region) == account.region
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
        return _json({"projects": [project] if there else [], "links": links}, 200)

    return app


def _check_password(account: Account, body: Any) -> None:
    if _member(body, "auth", "identity").get("methods") != ["password"]:
        raise _bad_request('auth.identity.methods must be ["password"]')
    user = _member(body, "auth", "identity", "password", "user")
    domain = _member(user, "domain")
    known = [
        _is(user.get("name"), account.username) | _is(user.get("id"), account.user_id),
        _is(domain.get("name"), account.account) | _is(domain.get("id"), account.domain_id),
        _is(user.get("password"), account.password),
    ]
    if not all(known):
        raise ApiFailure("", "The username or password is wrong.", 401)


def _wanted_project(account: Account, body: Any) -> dict[str, str]:
    """The project that a token is asked for; empty when it is for the account."""
    scope = body["auth"].get("scope") or {}
    if not isinstance(scope, dict) or not isinstance(scope.get("project") or {}, dict):
        raise _bad_request("auth.scope must be an object with project or domain")
    wanted = scope.get("project")
    if not wanted:
        return {}
    project = _project(account)
    if wanted.get("id") != project["id"] and wanted.get("name") != project["name"]:
        raise ApiFailure("", f"Could not find project: {wanted.get('name') or wanted.get('id')}.", 404)
    return project


def _project(account: Account) -> dict[str, str]:
    return {"id": account.project_id, "name": account.region}


def _catalog(account: Account) -> list[dict[str, Any]]:
    root = request.host_url.rstrip("/")
    services = (("iam", f"{root}/v3.0"), ("modelarts", f"{root}/v1/{account.project_id}"), ("obs", root))
    return [
        {"id": name, "name": name, "type": name, "endpoints": [
            {"id": name, "interface": "public", "region": account.region, "region_id": account.region, "url": url},
        ]}
        for name, url in services
    ]  # fmt: skip


def _seconds(options: Any) -> int:
    """For how long temporary keys are asked for: a number, or the text of one, under either name (iam_04_0002)."""
    if not isinstance(options, dict):
        raise _bad_request("auth.identity.token must be an object")
    value = options.get("duration_seconds", options.get("duration-seconds", SHORTEST))
    try:
        seconds = int(str(value))
    except ValueError:
        seconds = 0
    if not SHORTEST <= seconds <= LONGEST:
        raise _bad_request(f"duration_seconds must be a whole number from {SHORTEST} to {LONGEST}, got {value!r}")
    return seconds


def _body() -> Any:
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


def _is(given: Any, known: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "replace"), known.encode())


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _bad_request(message: str) -> ApiFailure:
    return ApiFailure("", message, 400)


def _refused(error: Exception) -> Response:
    """A refusal as IAM words it: the code is the HTTP status."""
    if isinstance(error, ApiFailure):
        return _refusal(error.message, 401 if error.code.startswith("ModelArts.02") else error.status)
    if isinstance(error, HTTPException):
        return _refusal(error.description or error.name, error.code or 500)
    logger.exception("%s %s failed", request.method, request.path)
    return _refusal("internal error of the local service; its log tells more", 500)


def _refusal(message: str, status: int) -> Response:
    return _json({"error": {"code": status, "message": message, "title": HTTP_STATUS_CODES[status]}}, status)


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(body), status, mimetype="application/json")
