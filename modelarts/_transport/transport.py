"""Sends requests: time-outs, deadlines, repeats, proxies, certificates. What an answer means is not its matter."""

from __future__ import annotations

import logging
import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import requests
from requests.exceptions import (
    ConnectTimeout,
    InvalidProxyURL,
    InvalidSchema,
    InvalidURL,
    ProxyError,
    RequestException,
    SSLError,
    Timeout,
)  # fmt: skip
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError, ReadTimeoutError

from modelarts import errors
from modelarts._transport.deadline import DeadlineAdapter, was_sent
from modelarts._transport.options import TransportOptions
from modelarts._transport.redaction import Secrets
from modelarts._wire.http_dates import parse_http_date

logger = logging.getLogger("modelarts")

OK = 200
_LENGTHS = {"content-length", "transfer-encoding"}
RETRIED = frozenset((429, 500, 502, 503, 504))
ATTEMPTS = 5
CONNECTIONS = 32  # kept open for as many threads; more are opened and closed again
# Failures of a request that did not come as far as to a connection, where nobody saw whether it did.
_BEFORE_SENDING = (ConnectTimeout, InvalidProxyURL, InvalidSchema, InvalidURL, ProxyError, SSLError)
_FIRST_PAUSE, _LONGEST_PAUSE, _LONGEST_ASKED = 0.2, 10.0, 60.0


@attrs.frozen
class Attempt:
    """One attempt of a request: made anew each time, because addresses move and signatures age."""

    method: str
    url: str
    headers: dict[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(default=b"", repr=False)


class Transport:
    """Connections of one session; one for each thread that sends, and new ones after a fork.

    Args:
        sending: time-outs and certificates.
        direct: go past proxies, whatever the environment says.
    """

    def __init__(self, sending: TransportOptions, bypass_proxy: bool = False) -> None:
        self.sending = sending
        self.bypass_proxy = bypass_proxy
        self._call = threading.local()
        self._open()

    def _open(self) -> None:
        # That of a process before a fork is kept: ending it could wait for a lock that a thread held there.
        self._before = getattr(self, "_adapter", None)
        self._adapter = DeadlineAdapter(pool_maxsize=CONNECTIONS)
        self._options: dict[str, dict[str, Any]] = {}
        self._process = os.getpid()  # last: a thread that sees it sees the rest, too

    def close(self) -> None:
        """Close the connections; others are opened when they are needed."""
        if self._process == os.getpid():  # in a forked one, that could wait for a lock of its parent
            self._adapter.close()

    @contextmanager
    def call(self, sending: TransportOptions | None = None) -> Iterator[None]:
        """Within this block, all that this thread sends is one call, and shares its total time-out.

        Args:
            sending: time-outs of this call, in place of the session's. Those of a call around it count before both.
        """
        if self._current is not None:
            yield
            return
        sending = sending or self.sending
        self._call.current = (sending, time.monotonic() + sending.total_timeout)
        try:
            yield
        finally:
            self._call.current = None

    @property
    def _current(self) -> tuple[TransportOptions, float] | None:
        """Time-outs and deadline of the call that this thread is making."""
        return getattr(self._call, "current", None)

    @property
    def left(self) -> float:
        """Seconds that are left to the call that this thread is making, else to a new one."""
        return self._current[1] - time.monotonic() if self._current else self.sending.total_timeout

    def secrets_of(self, request: Any, *others: str) -> Secrets:
        """What is not to be told of a request, nor of the proxy on its way."""
        proxy = self._options_for(request.url)["proxies"].get("all") if "://" in str(request.url) else None
        return Secrets.of(request.headers, proxy, *others)

    def send(
        self, prepare: Callable[[], Attempt], repeatable: bool, after_failure: Callable[[], None] = lambda: None
    ) -> requests.Response:
        """Send until there is an answer, as often as it is safe.

        Args:
            prepare: makes each attempt.
            repeatable: whether it may be sent again although it may have reached the service.
            after_failure: called before a repeat, when nobody answered.

        Raises:
            ConnectionFailed: nobody answered, or not in time; OutcomeUnknown: nor is it known what came of it.
        """
        with self.call():
            return self._repeated(prepare, repeatable, after_failure)

    def _repeated(
        self, prepare: Callable[[], Attempt], repeatable: bool, after_failure: Callable[[], None]
    ) -> requests.Response:
        for number in range(1, ATTEMPTS + 1):
            attempt = prepare()
            pause = _backoff(number)
            reply, error = self._tried(attempt)
            if reply is not None:
                pause = _asked_pause(reply) or pause
                if reply.status_code not in RETRIED or not repeatable or number == ATTEMPTS or pause >= self.left:
                    return reply
            elif error is not None:
                last = number == ATTEMPTS or not (repeatable or _never_sent(error)) or _wants_login(error)
                if last or pause >= self.left:
                    raise connection_error(error, attempt, repeatable, self.secrets_of(attempt))
                after_failure()
            logger.info("%s %s: attempt %d failed, next in %.1f s", attempt.method, attempt.url, number, pause)
            time.sleep(pause)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _tried(self, attempt: Attempt) -> tuple[requests.Response | None, RequestException | None]:
        """The answer or the failure. That is no cause of what is raised: it may hold the password of a proxy."""
        try:
            return self._once(attempt), None
        except RequestException as error:
            return None, error
        except (HTTPError, OSError, ValueError) as error:  # what lies below makes of addresses, answers and files
            kind = InvalidURL if was_sent() is None else requests.ConnectionError
            return None, kind(str(error) or type(error).__name__)

    def _once(self, attempt: Attempt) -> requests.Response:
        if self._process != os.getpid():
            self._open()  # a forked process must not talk on its parent's connections
        # Built by hand and sent through the adapter: no redirect is followed (credentials must not go to
        # another host), and a call costs less than through requests' general path.
        request = requests.PreparedRequest()
        request.method, request.url, request.body = attempt.method, attempt.url, attempt.body or None
        request.headers = CaseInsensitiveDict(attempt.headers)
        assert self._current is not None  # it is called within a call only
        sending, deadline = self._current
        left = max(deadline - time.monotonic(), 0.001)
        timeout = (min(sending.connect_timeout, left), min(sending.read_timeout, left))
        options = self._options_for(attempt.url)
        reply: requests.Response = self._adapter.send_until(deadline, request, timeout=timeout, **options)
        if not reply.content and reply.status_code == OK and not _LENGTHS & {name.lower() for name in reply.headers}:
            raise requests.ConnectionError("the answer ended within its headers")
        return reply

    def _options_for(self, url: str) -> dict[str, Any]:
        """Proxy and certificates, found once for each host."""
        host = url.split("/", 3)[2]
        if host not in self._options:
            proxy = None if self.bypass_proxy else self.sending.proxy_for(url)
            self._options[host] = {
                "proxies": {"all": proxy} if proxy else {},
                "verify": self.sending.verify,
                "cert": self.sending.client_cert,
            }
        return self._options[host]


def _never_sent(error: RequestException) -> bool:
    """Whether a request surely did not reach the service: no name, no connection, no proxy."""
    sent = was_sent()
    return isinstance(_cause(error), NewConnectionError) if sent is None else not sent


def _wants_login(error: RequestException) -> bool:
    """Whether a proxy refused to let a request through: asked again and again, it might lock the account."""
    return isinstance(error, ProxyError) and _reason(error).startswith("407 ")


def connection_error(
    error: RequestException, attempt: Attempt, repeatable: bool, secrets: Secrets
) -> errors.ConnectionFailed:
    """What a failed attempt amounts to, with what to look at; unknown is the outcome of what makes something."""
    method, url = attempt.method, attempt.url
    reason = secrets.redact(_reason(error))
    sent = was_sent()
    if isinstance(_cause(error), NewConnectionError) and not sent:  # a name that does not resolve is one, too
        return errors.ConnectionFailed(
            f"{method} {url}: nobody answers at that address ({reason}). "
            "Check the network and the endpoint; for a local session run `modelarts local status`.",
            method, url,
        )  # fmt: skip
    if _wants_login(error):
        return errors.ConnectionFailed(
            f"{method} {url}: the proxy wants a login, or another one ({reason}); nothing was sent. Write it into the "
            "address of the proxy, as MODELARTS_PROXY=http://user:password@host:port.",
            method, url,
        )  # fmt: skip
    if sent is False or (sent is None and isinstance(error, _BEFORE_SENDING)):
        return errors.ConnectionFailed(
            f"{method} {url}: no connection ({reason}); nothing was sent. Check the network, and proxies and "
            "certificates (MODELARTS_PROXY or HTTPS_PROXY, MODELARTS_CA_BUNDLE).",
            method, url,
        )  # fmt: skip
    kind = errors.ConnectionFailed if repeatable else errors.OutcomeUnknown
    if isinstance(error, Timeout) or isinstance(_cause(error), ReadTimeoutError):  # of headers, or of a body
        return kind(
            f"{method} {url}: no answer in time ({reason}). Check the network; a slow one needs a longer "
            "MODELARTS_READ_TIMEOUT or MODELARTS_TOTAL_TIMEOUT.",
            method, url,
        )  # fmt: skip
    return kind(f"{method} {url}: the connection broke off ({reason}). Check the network.", method, url)


def _reason(error: RequestException) -> str:
    """What happened, in the words of the library that noticed, without the password of a proxy."""
    cause = _cause(error)
    text = re.sub(r"(\w+://)?\S*@", r"\1****@", str(getattr(cause, "original_error", None) or cause))
    if isinstance(error, InvalidURL):
        return text
    return re.sub(r" \(read timeout=[^)]*\)", "", text.rpartition(": ")[2]).strip("'\" ")


def _cause(error: RequestException) -> Any:
    cause: Any = error.args[0] if error.args else error
    cause = getattr(cause, "reason", cause)
    return cause.args[-1] if isinstance(cause, ProtocolError) else cause


def _backoff(attempt: int) -> float:
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1))
    return random.uniform(longest / 2, longest)


def _asked_pause(reply: requests.Response) -> float:
    """Seconds that the service asks for, 0 when it does not or not sensibly."""
    value = reply.headers.get("Retry-After", "").strip()
    if not value:
        return 0.0
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST_ASKED)
    return min(max((parse_http_date(value) or 0.0) - time.time(), 0.0), _LONGEST_ASKED)
