"""The one place that sends, retries, times out, and turns replies into results or errors."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout, ProxyError, RequestException, Timeout
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import NewConnectionError, ProtocolError

from modelarts import errors
from modelarts._auth import Endpoint
from modelarts._reply import Response, answered, error_of
from modelarts._wire import replies
from modelarts._wire.routes import BY_OPERATION, Route

logger = logging.getLogger("modelarts")

RETRIED = frozenset((429, 500, 502, 503, 504))
NO_CONTENT = 204
ATTEMPTS = 5
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0


class Client:
    """Sends the requests of one session."""

    def __init__(self, endpoint: Endpoint, timeout: tuple[float, float], strict: bool = False) -> None:
        self.endpoint = endpoint
        self.strict = strict
        self._timeout = timeout
        self._requests = requests.Session()
        self._use(endpoint)

    def _use(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        # Proxies and certificates come from the environment, once, not with every request.
        proxies = {"no_proxy": "*"} if endpoint.direct else {}
        self._sending: Any = self._requests.merge_environment_settings(endpoint.url, proxies, False, None, None)
        self._adapter: HTTPAdapter = self._requests.get_adapter(endpoint.url)  # type: ignore[assignment]

    def close(self) -> None:
        self._requests.close()

    def call(
        self,
        operation: str,
        path: Mapping[str, object] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        prefer: str = "",
        must: bool = False,
    ) -> Response:
        """Make one documented call.

        Args:
            operation: its id, as `modelarts._wire.routes` lists them.
            path: the members of the path but the project.
            query: query members; those that are `None` are left out.
            body: the JSON body.
            prefer: value of a `Prefer` header (RFC 7240); a service that does not know it ignores it.
            must: raise on a refusal, because there is no object to return.

        Returns:
            The response; a refusal too, unless it must succeed or the session is strict.

        Raises:
            ApiError: refused, and it must succeed or the session is strict; AuthError: refused in any case.
            ConnectionFailed, BadReply: nobody answered, or not the API.
        """
        route = BY_OPERATION[operation]
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        response = self._answered(route, query or {}, content, prefer, path or {})
        if not response["is_success"]:
            refusal = error_of(response)
            if must or self.strict or isinstance(refusal, errors.AuthError):
                raise refusal
            logger.warning("%s refused: %s", operation, refusal)
        return response

    def _answered(
        self,
        route: Route,
        query: Mapping[str, Any],
        content: bytes,
        prefer: str,
        path: Mapping[str, object],
    ) -> Response:
        # Spelled as it is signed: sorted, and a blank is %20, which a service may tell from a plus sign.
        asked = sorted((name, value) for name, value in query.items() if value is not None)
        members = urlencode(asked, quote_via=quote, safe="~")
        repeatable = route.method != "POST"
        for attempt in range(1, ATTEMPTS + 1):
            url = route.url(self.endpoint.url, project_id=self.endpoint.project_id, **path)
            if members:
                url += f"?{members}"
            try:
                reply = self._send(route.method, url, content, prefer)
            except RequestException as error:
                never_sent = _never_sent(error)
                if attempt == ATTEMPTS or not (repeatable or never_sent):
                    raise _connection_error(error, route.method, url, never_sent) from None
                self._look_again()
                pause = _backoff(attempt)
            else:
                if not (reply.status_code in RETRIED and repeatable and attempt < ATTEMPTS):
                    return _decoded(reply, route.method, url)
                pause = _retry_after(reply) or _backoff(attempt)
            logger.info("%s %s: attempt %d failed, next in %.1f s", route.method, url, attempt, pause)
            time.sleep(pause)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _look_again(self) -> None:
        if self.endpoint.find is not None:
            self._use(self.endpoint.find())

    def _send(self, method: str, url: str, content: bytes, prefer: str) -> requests.Response:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if prefer:
            headers["Prefer"] = prefer
        if content or method in ("POST", "PUT"):
            headers["Content-Length"] = str(len(content))
        self.endpoint.auth.apply(method, url, headers, content)
        # Built by hand and sent through the adapter: no redirect is followed (credentials must not go to
        # another host), and a call costs less than through requests' general path.
        request = requests.PreparedRequest()
        request.method, request.url, request.body = method, url, content or None
        request.headers = CaseInsensitiveDict(headers)
        reply = self._adapter.send(request, timeout=self._timeout, **self._sending)
        _ = reply.content  # read here: an answer that breaks off is a failure of this attempt
        return reply


def _decoded(reply: requests.Response, method: str, url: str) -> Response:
    content = reply.content
    try:
        members = replies.parse(content) if content or reply.status_code != NO_CONTENT else {}
    except ValueError:
        members = None
    if not isinstance(members, dict) or 300 <= reply.status_code < 400 or (not members and reply.status_code >= 400):
        start = content[:200].decode("utf-8", "replace")
        raise errors.BadReply(
            f"{method} {url} answered HTTP {reply.status_code} with what is no ModelArts reply: {start!r}. "
            "Check the endpoint, and proxies on the way.",
            reply.status_code, method, url,
        )  # fmt: skip
    return answered(members, reply.status_code, reply.headers, method, url)


def _cause(error: RequestException) -> Any:
    cause: Any = error.args[0] if error.args else error
    cause = getattr(cause, "reason", cause)
    return cause.args[-1] if isinstance(cause, ProtocolError) else cause


def _never_sent(error: RequestException) -> bool:
    return isinstance(_cause(error), NewConnectionError)  # a name that does not resolve is one, too


def _connection_error(
    error: RequestException, method: str, url: str, never_sent: bool
) -> errors.ConnectionFailed:
    reason = str(_cause(error)).rpartition(": ")[2]
    if never_sent:
        return errors.ConnectionFailed(
            f"{method} {url}: nobody answers at that address ({reason}). "
            "Check the network and the endpoint; for a local session run `modelarts local status`.",
            method, url,
        )  # fmt: skip
    if isinstance(error, (ConnectTimeout, ProxyError)) or "CERTIFICATE_VERIFY_FAILED" in str(error):
        return errors.ConnectionFailed(
            f"{method} {url}: no connection ({reason}). Check the network, and proxies and certificates "
            "(HTTPS_PROXY, REQUESTS_CA_BUNDLE); nothing was sent.",
            method, url,
        )  # fmt: skip
    what = "no answer in time" if isinstance(error, Timeout) else "the connection broke off"
    kind = errors.OutcomeUnknown if method == "POST" else errors.ConnectionFailed
    return kind(f"{method} {url}: {what} ({reason})", method, url)


def _backoff(attempt: int) -> float:
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1))
    return random.uniform(longest / 2, longest)


def _retry_after(reply: requests.Response) -> float:
    """Seconds that the service asks for, 0 when it does not or not sensibly."""
    value = reply.headers.get("Retry-After", "").strip()
    if not value:
        return 0.0
    if value.isdigit():
        return min(float(value), 60.0)
    from dateutil import parser, tz

    try:
        moment = parser.parse(value)
    except (ValueError, OverflowError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=tz.UTC)
    return min(max(moment.timestamp() - time.time(), 0.0), 60.0)
