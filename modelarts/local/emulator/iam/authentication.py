"""Authentication of requests by token or by signature."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Callable

from werkzeug.wrappers import Request

from modelarts.local.api.errors import ApiFailure
from modelarts.local.emulator.iam.accounts import Account
from modelarts.local.emulator.iam.signatures import (
    AuthorizationHeader,
    SignedRequest,
    check_date,
    check_query,
    check_signature,
)
from modelarts.local.emulator.iam.tokens import Tokens


class IamAuthenticator:
    """Accepts requests with credentials of the account. Errors have the codes of modelarts_03_0095."""

    def __init__(self, account: Account, tokens: Tokens, clock: Callable[[], float] = time.time) -> None:
        self._account = account
        self._tokens = tokens
        self._clock = clock

    def authenticate_for_project(self, request: Request) -> None:
        """Raise `ApiFailure` unless the request may use the project of the account."""
        self._check_headers(_headers(request))  # before the body is read
        if not self.project_of(signed_request(request)):
            raise ApiFailure("ModelArts.0212", "the token is for the account; request one for a project", 401)

    def project_of(self, request: SignedRequest) -> str:
        """The project that a request may use; empty if its token is for the account."""
        project, signature = self._check_headers(request.headers)
        if signature is None:
            return project
        check_query(request.query)
        check_signature(signature[0], request, signature[1])
        if request.headers.get("x-project-id", project) != project:
            message = "the project id in X-Project-Id is invalid: it is not the account's"
            raise ApiFailure("ModelArts.0210", message, 400)
        return project

    def _check_headers(self, headers: Mapping[str, str]) -> tuple[str, tuple[AuthorizationHeader, str] | None]:
        """The project, and the signature that is still to be checked, with the secret of its access key."""
        if token := headers.get("x-auth-token"):
            return self._tokens.project_of(token), None
        if authorization := headers.get("authorization"):
            header = AuthorizationHeader.of(authorization)
            secret_key = self._tokens.secret_of(header.access_key, headers.get("x-security-token", ""))
            check_date(headers, self._clock())
            return self._account.project_id, (header, secret_key)
        if "x-sdk-date" in headers:
            raise ApiFailure("ModelArts.0205", "the Authorization header is missing", 401)
        message = "the X-Auth-Token header is missing or empty, and the request is not signed"
        raise ApiFailure("ModelArts.0201", message, 401)


def signed_request(request: Request) -> SignedRequest:
    """A request as it was sent; the server provides its target as `REQUEST_URI`."""
    path, _, query = request.environ["REQUEST_URI"].partition("?")
    return SignedRequest(request.method, path, query, _headers(request), request.get_data())


def _headers(request: Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}
