"""Authentication of requests by token or by signature."""

from __future__ import annotations

import time
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
        if not self.project_of(signed_request(request)):
            raise ApiFailure("ModelArts.0212", "the token is for the account; request one for a project", 401)

    def project_of(self, request: SignedRequest) -> str:
        """The project that a request may use; empty if its token is for the account."""
        if token := request.headers.get("x-auth-token"):
            return self._tokens.project_of(token)
        if authorization := request.headers.get("authorization"):
            return self._project_of_signed(request, authorization)
        if "x-sdk-date" in request.headers:
            raise ApiFailure("ModelArts.0205", "the Authorization header is missing", 401)
        message = "the X-Auth-Token header is missing or empty, and the request is not signed"
        raise ApiFailure("ModelArts.0201", message, 401)

    def _project_of_signed(self, request: SignedRequest, authorization: str) -> str:
        header = AuthorizationHeader.of(authorization)
        secret_key = self._tokens.secret_of(header.access_key, request.headers.get("x-security-token", ""))
        check_date(request.headers, self._clock())
        check_query(request.query)
        check_signature(header, request, secret_key)
        project_id = self._account.project_id
        if request.headers.get("x-project-id", project_id) != project_id:
            message = "the project id in X-Project-Id is invalid: it is not the account's"
            raise ApiFailure("ModelArts.0210", message, 400)
        return project_id


def signed_request(request: Request) -> SignedRequest:
    """A request as it was sent; the server provides its target as `REQUEST_URI`."""
    path, _, query = request.environ["REQUEST_URI"].partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return SignedRequest(request.method, path, query, headers, request.get_data())
