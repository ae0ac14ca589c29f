"""Who sent a request: by its token, or by its signature."""

from __future__ import annotations

import time
from typing import Callable

from werkzeug.wrappers import Request

from modelarts.local.api.errors import ApiFailure
from modelarts.local.emulator.iam.accounts import Account
from modelarts.local.emulator.iam.signatures import Claim, Received, check_date, check_signature
from modelarts.local.emulator.iam.tokens import Tokens


class Admission:
    """Lets requests pass that prove to be sent by the account's user. Refuses with the codes of modelarts_03_0095."""

    def __init__(self, account: Account, tokens: Tokens, clock: Callable[[], float] = time.time) -> None:
        self._account = account
        self._tokens = tokens
        self._clock = clock

    def prove_project(self, request: Request) -> None:
        """Refuse a request unless it may use the account's project."""
        if not self.project_of(received(request)):
            raise ApiFailure("ModelArts.0212", "the token is for the account; get one for the project of a region", 401)

    def project_of(self, call: Received) -> str:
        """The project that a request may use; empty when its token is for the account."""
        if token := call.headers.get("x-auth-token"):
            return self._tokens.project_of(token)
        if authorization := call.headers.get("authorization"):
            return self._project_of_signed(call, authorization)
        if "x-sdk-date" in call.headers:
            raise ApiFailure("ModelArts.0205", "the Authorization header is missing", 401)
        raise ApiFailure("ModelArts.0201", "the X-Auth-Token header is missing or empty, and nothing is signed", 401)

    def _project_of_signed(self, call: Received, authorization: str) -> str:
        claim = Claim.of(authorization)
        secret_key = self._tokens.secret_of(claim.access_key, call.headers.get("x-security-token", ""))
        check_date(call.headers, self._clock())
        check_signature(claim, call, secret_key)
        project_id = self._account.project_id
        if call.headers.get("x-project-id", project_id) != project_id:
            message = "the project id in X-Project-Id is invalid: it is not the account's"
            raise ApiFailure("ModelArts.0210", message, 400)
        return project_id


def received(request: Request) -> Received:
    """A request as it was sent; the server keeps its line in `REQUEST_URI`."""
    path, _, query = request.environ["REQUEST_URI"].partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Received(request.method, path, query, headers, request.get_data())
