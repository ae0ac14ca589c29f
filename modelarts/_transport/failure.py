"""Requests without a reply: what happened, whether it may be tried again, and the error to raise."""

from __future__ import annotations

import re
import socket
import ssl
from typing import Any, NamedTuple, Optional

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
from urllib3.exceptions import NewConnectionError, ProtocolError, ReadTimeoutError

from modelarts import errors
from modelarts._transport.redaction import Secrets

# Failures before a connection was requested, where nothing recorded whether the request was sent.
_BEFORE_SENDING = (ConnectTimeout, InvalidProxyURL, InvalidSchema, InvalidURL, ProxyError, SSLError)


class Failure(NamedTuple):
    """An attempt that got no reply.

    Args:
        method, url: what was requested.
        error: what the library raised. It is never the cause of what is raised: it may hold the password of a proxy.
        sent: whether anything was sent; `None` where no connection was requested.
        secrets: what must not be shown.
    """

    method: str
    url: str
    error: RequestException
    sent: Optional[bool]
    secrets: Secrets

    def __repr__(self) -> str:  # without the error, which may hold a password
        return f"Failure(method={self.method!r}, url={self.url!r}, sent={self.sent!r})"

    @property
    def cause(self) -> BaseException:
        """The first failure, below all that the libraries put around it."""
        found: Any = self.error
        while (inner := _inner(found)) is not None:
            found = inner
        return found  # type: ignore[no-any-return]

    @property
    def reason(self) -> str:
        """What happened, in the words of the library that noticed, without secrets."""
        return str(self.secrets.redact(_reason(self.error)))

    @property
    def never_sent(self) -> bool:
        """Whether the request surely did not reach the service: no name, no connection, no proxy."""
        return self._no_connection if self.sent is None else not self.sent

    @property
    def needs_login(self) -> bool:
        """Whether a proxy requires a login, or another one. Tried again and again, it might lock the account."""
        return isinstance(self.error, ProxyError) and _reason(self.error).startswith("407 ")

    @property
    def is_timeout(self) -> bool:
        """Whether the reply, or a part of it, did not come in time."""
        return isinstance(self.error, Timeout) or isinstance(_cause(self.error), (ReadTimeoutError, socket.timeout))

    @property
    def is_final(self) -> bool:
        """Whether another attempt would fail in the same way."""
        cause = self.cause
        unknown = isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN
        return unknown or isinstance(cause, ssl.SSLCertVerificationError) or self.needs_login

    @property
    def _no_connection(self) -> bool:
        return isinstance(_cause(self.error), NewConnectionError)  # a name that does not resolve is one, too

    def as_error(self, repeatable: bool) -> errors.ConnectionFailed:
        """The error to raise, with what to check; after a request that creates something, its outcome is unknown."""
        start, reason = f"{self.method} {self.url}", self.reason
        if self._no_connection and not self.sent:
            return errors.ConnectionFailed(
                f"{start}: cannot connect to that address ({reason}). "
                "Check the network and the endpoint; for a local session run `modelarts local status`.",
                self.method, self.url,
            )  # fmt: skip
        if self.needs_login:
            return errors.ConnectionFailed(
                f"{start}: the proxy requires a login, or another one ({reason}); nothing was sent. Write it into the "
                "address of the proxy, as MODELARTS_PROXY=http://user:password@host:port.",
                self.method, self.url,
            )  # fmt: skip
        if self.sent is False or (self.sent is None and isinstance(self.error, _BEFORE_SENDING)):
            return errors.ConnectionFailed(
                f"{start}: no connection ({reason}); nothing was sent. Check the network, and proxies and "
                "certificates (MODELARTS_PROXY or HTTPS_PROXY, MODELARTS_CA_BUNDLE).",
                self.method, self.url,
            )  # fmt: skip
        kind = errors.ConnectionFailed if repeatable else errors.OutcomeUnknown
        if self.is_timeout:
            return kind(
                f"{start}: no reply in time ({reason}). Check the network; a slow one needs a longer "
                "MODELARTS_READ_TIMEOUT or MODELARTS_TOTAL_TIMEOUT.",
                self.method, self.url,
            )  # fmt: skip
        return kind(f"{start}: the connection was lost ({reason}). Check the network.", self.method, self.url)


class NoReply(Exception):
    """Raised where there was no reply to a request, not even after the repeats."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def _inner(error: Any) -> Optional[BaseException]:
    """The failure that an error of a library was raised for."""
    if isinstance(error, NewConnectionError):
        return error.__cause__
    named = (getattr(error, "original_error", None), getattr(error, "reason", None), *reversed(error.args))
    return next((part for part in named if isinstance(part, BaseException)), None)


def _cause(error: RequestException) -> Any:
    cause: Any = error.args[0] if error.args else error
    cause = getattr(cause, "reason", cause)
    return cause.args[-1] if isinstance(cause, ProtocolError) else cause


def _reason(error: RequestException) -> str:
    """What happened, without the password of a proxy."""
    cause = _cause(error)
    text = re.sub(r"(\w+://)?\S*@", r"\1****@", str(getattr(cause, "original_error", None) or cause))
    if isinstance(error, InvalidURL):
        return text
    return re.sub(r" \(read timeout=[^)]*\)", "", text.rpartition(": ")[2]).strip("'\" ")
