"""The documented calls of one session: their requests, and what replies mean."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import requests

from modelarts import errors
from modelarts._api.endpoint import Endpoint
from modelarts._settings.table import checked
from modelarts._transport.attempt import Attempt
from modelarts._transport.options import TransportOptions
from modelarts._transport.redaction import Secrets
from modelarts._transport.response import Response, bad_member, error_of, to_response
from modelarts._transport.transport import Transport
from modelarts._wire import json_records
from modelarts._wire.v1.routes import BY_OPERATION, Route
from modelarts._wire.v1.schemas import SHAPES, Shape

logger = logging.getLogger("modelarts")

EMPTY_BODY_OK = (401, 403, 429)  # statuses of replies that may be empty
NO_CONTENT, TIMED_OUT = 204, 408
FAILURE = ("is_success", "error_code", "error_msg", "error_message", "error")  # each failure has one of them


class Client:
    """Sends the calls of one session; threads may share it."""

    def __init__(self, endpoint: Endpoint, transport: Transport, strict: bool = False) -> None:
        self.endpoint = endpoint
        self.transport = transport
        self.strict = strict
        self._calls = threading.local()

    def close(self) -> None:
        self.transport.close()

    def deadline(
        self, seconds: float | None, connect: float | None, read: float | None
    ) -> AbstractContextManager[None]:
        """Within this block, the calls of this thread have these timeouts in place of the session's."""
        given = {"total_timeout": seconds, "connect_timeout": connect, "read_timeout": read}
        changes = {name: checked(name, value) for name, value in given.items() if value is not None}
        return self.with_options(self.options._replace(**changes))

    @contextmanager
    def with_options(self, options: TransportOptions) -> Iterator[None]:
        """Within this block, the calls of this thread have these options; for threads that work for another one."""
        before = self.options
        self._calls.options = options
        try:
            yield
        finally:
            self._calls.options = before

    @property
    def options(self) -> TransportOptions:
        """The options of the calls of this thread."""
        options: TransportOptions = getattr(self._calls, "options", self.transport.options)
        return options

    def call(
        self,
        operation: str,
        path: Mapping[str, object] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        prefer: str = "",
        raise_on_error: bool = False,
    ) -> Response:
        """Send one documented call.

        Args:
            operation: its id, see `modelarts._wire.v1.routes`.
            path: the parameters of the path without the project.
            query: the query parameters; `None` means not set.
            body: the JSON body.
            prefer: value of a `Prefer` header (RFC 7240); services that do not support it ignore it.
            raise_on_error: raise an error if the call fails, as calls do that return no response.

        Returns:
            The response; also that of a failed call, unless `raise_on_error` or the session is strict.

        Raises:
            ApiError: the call failed, and `raise_on_error` or the session is strict; AuthError: in any case.
            ConnectionFailed, BadReply: there was no reply, or it is not one of the API.
            ArgumentError: a text cannot be sent; nothing was sent.
        """
        try:
            return self._call(operation, path or {}, query or {}, body, prefer, raise_on_error)
        except UnicodeEncodeError:
            found = json_records.unencodable_text([path, query, body])
            if found is None:
                raise
            raise errors.ArgumentError(operation, [errors.ArgumentProblem(*found, json_records.TEXT_RULE)]) from None

    def _call(
        self,
        operation: str,
        path: Mapping[str, object],
        query: Mapping[str, Any],
        body: Mapping[str, Any] | None,
        prefer: str,
        raise_on_error: bool,
    ) -> Response:
        route = BY_OPERATION[operation]
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        # Encoded as it is signed: sorted, and a blank is %20, not a plus sign.
        parameters = sorted((name, value) for name, value in query.items() if value is not None)
        suffix = f"?{urlencode(parameters, quote_via=quote, safe='~')}" if parameters else ""

        def prepare() -> Attempt:
            endpoint = self.endpoint
            url = route.url(endpoint.url, project_id=endpoint.project_id, **path) + suffix
            headers = _headers(route.method, content, prefer)
            endpoint.auth.apply(route.method, url, headers, content)
            return Attempt(route.method, url, headers, content)

        repeatable = route.method != "POST"
        with self.transport.call(self.options):
            reply = self.transport.send(prepare, repeatable, self._refresh_endpoint)
            if reply.status_code == 401 and self._has_other_credentials():
                reply = self.transport.send(prepare, repeatable, self._refresh_endpoint)
        response = _decoded(reply, route, self.transport.secrets_of(reply.request))
        if not response["is_success"]:
            error = error_of(response)
            if raise_on_error or self.strict or isinstance(error, errors.AuthError):
                raise error
            logger.warning("%s failed: %s", operation, error)
        return response

    def _has_other_credentials(self) -> bool:
        """After a 401: whether there are credentials that were not tried yet, as of a restarted local service."""
        before = self.endpoint.auth
        self._refresh_endpoint()
        return self.endpoint.auth != before or self.endpoint.auth.renew()

    def _refresh_endpoint(self) -> None:
        if self.endpoint.resolve is not None:
            self.endpoint = self.endpoint.resolve()


def _headers(method: str, content: bytes, prefer: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if prefer:
        headers["Prefer"] = prefer
    if content or method in ("POST", "PUT"):
        headers["Content-Length"] = str(len(content))
    return headers


def _decoded(reply: requests.Response, route: Route, secrets: Secrets) -> Response:
    """The response of a reply: a success with the members that it must have, or a failure without secrets."""
    method, url, status = route.method, str(reply.url), reply.status_code
    if not reply.content and (status in EMPTY_BODY_OK or (status == NO_CONTENT and not _needs_body(route))):
        return to_response({}, status, reply.headers, method, url)
    members = _members(reply.content)
    if members is None or 300 <= status < 400:
        raise _no_reply(reply, method, secrets)
    response = to_response(members, status, reply.headers, method, url)
    shape = SHAPES.get(route.operation, Shape())
    if response["is_success"]:
        if not any(members.get(name) is not None for name in ("is_success", *shape.any_of)):
            raise _no_reply(reply, method, secrets)
        if wrong := next(shape.wrong_members(members), None):
            raise bad_member(response, wrong, secrets.redact(members.get(wrong)))
        return response
    if status >= 500 and all(members.get(name) is None for name in FAILURE):
        raise _no_reply(reply, method, secrets)
    response = to_response(secrets.redact(members), status, secrets.redact(reply.headers), method, url)
    for wrong in shape.wrong_members(members):  # what reads responses need not know whether a call has failed
        response.pop(wrong, None)
    return response


def _needs_body(route: Route) -> bool:
    """Whether a success without a body is of no use."""
    return route.operation.startswith(("get_", "list_", "create_"))


def _members(content: bytes) -> dict[str, Any] | None:
    try:
        members = json_records.parse(content)
    except ValueError:
        return None
    return members if isinstance(members, dict) else None


def _no_reply(reply: requests.Response, method: str, secrets: Secrets) -> errors.ModelArtsError:
    """The error of a reply that is not one of ModelArts: a gateway's, a proxy's, or an incomplete one."""
    url, status = str(reply.url), reply.status_code
    start = secrets.redact(reply.content.decode("utf-8", "replace").replace("\0", ""))[:200]
    request_id = secrets.redact(reply.headers.get("X-Request-Id"))
    named = f" (request id {request_id})" if request_id else ""
    message = f"{method} {url} answered HTTP {status} with a body that is not a ModelArts reply: {start!r}{named}."
    if method == "POST" and (status < 300 or status == TIMED_OUT or status >= 500):
        return errors.OutcomeUnknown(message, method, url)  # it may have been carried out
    return errors.BadReply(f"{message} Check the endpoint, and proxies in between.", status, method, url)
