"""Sends requests: timeouts, deadlines, repeats, proxies, certificates. What a reply means is for the caller to say."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests
from requests.exceptions import InvalidURL, RequestException
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from modelarts import errors
from modelarts._transport.attempt import Attempt, Repeats
from modelarts._transport.deadline import DeadlineAdapter, was_sent
from modelarts._transport.failure import Failure, NoReply
from modelarts._transport.options import TransportOptions
from modelarts._transport.redaction import Secrets
from modelarts._wire.http_dates import parse_http_date

logger = logging.getLogger("modelarts")

CONNECTIONS = 128  # kept open for as many threads; further ones are closed after each request
_FIRST_PAUSE, _LONGEST_PAUSE, _LONGEST_ASKED = 0.2, 10.0, 60.0


class Transport:
    """Connections of one session; one for each thread that sends, and new ones after a fork.

    Args:
        options: timeouts, proxies and certificates.
        bypass_proxy: use no proxy, whatever the environment says.
    """

    def __init__(self, options: TransportOptions, bypass_proxy: bool = False) -> None:
        self.options = options
        self.bypass_proxy = bypass_proxy
        self._call = threading.local()
        self._open()

    def _open(self) -> None:
        # The adapter of the process before a fork is kept: closing it could wait for a lock that a thread held there.
        self._before = getattr(self, "_adapter", None)
        self._adapter = DeadlineAdapter(pool_maxsize=CONNECTIONS)
        self._options: dict[str, dict[str, Any]] = {}
        self._process = os.getpid()  # last: a thread that sees this sees all of the above

    def close(self) -> None:
        """Close the connections; others are opened when they are needed."""
        if self._process == os.getpid():  # in a forked process, closing could wait for a lock of its parent
            self._adapter.close()

    @contextmanager
    def call(self, options: TransportOptions | None = None) -> Iterator[None]:
        """Within this block, all requests of this thread are one call, and share its total timeout.

        Args:
            options: timeouts of this call instead of the session's. Those of an outer call take precedence over both.
        """
        if self._current is not None:
            yield
            return
        options = options or self.options
        self._call.current = (options, time.monotonic() + options.total_timeout)
        try:
            yield
        finally:
            self._call.current = None

    @property
    def _current(self) -> tuple[TransportOptions, float] | None:
        """Options and deadline of the call that this thread is in."""
        return getattr(self._call, "current", None)

    @property
    def left(self) -> float:
        """Seconds left for the call that this thread is in, else for a new one."""
        return self._current[1] - time.monotonic() if self._current else self.options.total_timeout

    def secrets_of(self, request: Any, *others: str) -> Secrets:
        """The secrets of a request, and of the proxy that it is sent through."""
        proxy = self._options_for(request.url)["proxies"].get("all") if "://" in str(request.url) else None
        return Secrets.of(request.headers, proxy, *others)

    def send(
        self, prepare: Callable[[], Attempt], repeatable: bool, after_failure: Callable[[], None] = lambda: None
    ) -> requests.Response:
        """Send until there is a reply, as often as it is safe.

        Args:
            prepare: creates each attempt.
            repeatable: whether it may be sent again although it may have reached the service.
            after_failure: called before a repeat, when there was no reply.

        Raises:
            ConnectionFailed: there was no reply, or not in time; OutcomeUnknown: nor is the outcome known.
        """
        try:
            return self.repeat(prepare, Repeats(repeatable, after_failure))
        except NoReply as lost:
            failure = lost.failure
        raise failure.as_error(repeatable)

    def repeat(self, prepare: Callable[[], Attempt], repeats: Repeats) -> requests.Response:
        """Send until there is a reply, and as long as another one may be better.

        Raises:
            NoReply: there was none, or not in time.
            ModelArtsError: sending the body or receiving the reply raised it.
        """
        with self.call():
            for number in range(1, repeats.attempts + 1):
                attempt = prepare()
                reply, failure = self._tried(attempt)
                pause = _backoff(number)
                if reply is not None:
                    pause = _asked_pause(reply) or pause
                    repeat = repeats.allowed and repeats.is_transient(reply)
                elif failure is not None:
                    repeat = (repeats.allowed or failure.never_sent) and not failure.is_final
                if not repeat or number == repeats.attempts or pause >= self.left:
                    break
                if failure is not None:
                    repeats.after_failure()
                logger.info("%s %s: attempt %d failed, next in %.1f s", attempt.method, attempt.url, number, pause)
                (repeats.pause or time.sleep)(pause)
        if failure is not None:
            raise NoReply(failure)
        assert reply is not None  # there is one of both
        return reply

    def _tried(self, attempt: Attempt) -> tuple[requests.Response | None, Failure | None]:
        """The reply or the failure. Raises the `ModelArtsError` of a body that could not be read or written."""
        try:
            return self._once(attempt), None
        except errors.ModelArtsError:
            raise
        except RequestException as error:
            failed = error
        except (HTTPError, OSError, ValueError) as error:  # of urllib3 and sockets: addresses, replies, files
            kind = InvalidURL if was_sent() is None else requests.ConnectionError
            failed = kind(error if str(error) else type(error).__name__)
        failure = Failure(attempt.method, attempt.url, failed, was_sent(), self.secrets_of(attempt))
        cause = failure.cause
        if isinstance(cause, errors.ModelArtsError):
            raise cause
        return None, failure

    def _once(self, attempt: Attempt) -> requests.Response:
        if self._process != os.getpid():
            self._open()  # a forked process must not talk on its parent's connections
        # Built by hand and sent through the adapter: no redirect is followed (credentials must not go to
        # another host), and a call costs less than through requests' general path.
        request = requests.PreparedRequest()
        request.method, request.url, request.body = attempt.method, attempt.url, attempt.body or None  # type: ignore[assignment]
        request.headers = CaseInsensitiveDict(attempt.headers)
        assert self._current is not None  # `repeat` is a call
        options, end = self._current
        left = max(end - time.monotonic(), 0.001)
        timeout = (min(options.connect_timeout, left), min(options.read_timeout, left))
        return self._adapter.exchange(
            end, options.read_timeout, request, attempt.receive, timeout=timeout, **self._options_for(attempt.url)
        )

    def _options_for(self, url: str) -> dict[str, Any]:
        """Proxy and certificates, looked up once for each host."""
        host = url.split("/", 3)[2]
        if host not in self._options:
            proxy = None if self.bypass_proxy else self.options.proxy_for(url)
            self._options[host] = {
                "proxies": {"all": proxy} if proxy else {},
                "verify": self.options.verify,
                "cert": self.options.client_cert,
            }
        return self._options[host]


def _backoff(attempt: int) -> float:
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1))
    return random.uniform(longest / 2, longest)


def _asked_pause(reply: requests.Response) -> float:
    """Seconds of the header `Retry-After`; 0 when there is none, or no valid one."""
    value = reply.headers.get("Retry-After", "").strip()
    if not value:
        return 0.0
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST_ASKED)
    return min(max((parse_http_date(value) or 0.0) - time.time(), 0.0), _LONGEST_ASKED)
