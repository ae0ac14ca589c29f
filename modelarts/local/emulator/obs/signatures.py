"""Verifying the signatures of OBS in the Authorization header (obs_04_0010), over a request as it was sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from datetime import timezone
from email.utils import formatdate, parsedate_to_datetime
from typing import Callable
from urllib.parse import unquote

from modelarts.local.api.errors import ApiFailure
from modelarts.local.emulator.iam.signatures import BLANKS, MAX_CLOCK_SKEW
from modelarts.local.emulator.iam.tokens import Tokens
from modelarts.local.emulator.obs.calls import Call
from modelarts.local.emulator.obs.errors import ObsError

SIGNED_PARAMETERS = ("delete", "partNumber", "uploadId", "uploads")  # of the operations that are implemented


class ObsAuthenticator:
    """Accepts requests that are signed with the account's access keys or with valid temporary ones."""

    def __init__(self, tokens: Tokens, clock: Callable[[], float] = time.time) -> None:
        self._tokens = tokens
        self._clock = clock

    def authenticate(self, call: Call) -> None:
        """Raise `ObsError` unless the request has a valid signature."""
        access_key, signature = _claim(call)
        secret_key = self._secret_of(access_key, call.headers.get(f"{call.dialect.prefix}security-token", ""))
        _check_date(call, self._clock())
        text = string_to_sign(call).encode("latin-1")
        expected = base64.b64encode(hmac.new(secret_key.encode(), text, hashlib.sha1).digest())
        if not hmac.compare_digest(expected, signature.encode("latin-1")):
            reason = "the signature does not match this request and the secret of this access key"
            raise ObsError("SignatureDoesNotMatch", reason)

    def _secret_of(self, access_key: str, token: str) -> str:
        try:
            return self._tokens.secret_of(access_key, token)
        except ApiFailure as error:
            if error.code == "ModelArts.0207":
                raise ObsError("ExpiredToken", "the temporary access key has expired") from None
        if token:
            raise ObsError("InvalidToken", "the security token does not belong to the access key")
        raise ObsError("InvalidAccessKeyId", "there is no such access key; a temporary key needs its security token")


def string_to_sign(call: Call) -> str:
    """The text that is signed. Each of its characters stands for one byte of the request."""
    headers, prefix = call.headers, call.dialect.prefix
    return "\n".join([
        call.method,
        headers.get("content-md5", ""),
        headers.get("content-type", ""),
        "" if f"{prefix}date" in headers else headers.get("date", ""),
        *(f"{name}:{headers[name].strip(BLANKS)}" for name in sorted(headers) if name.startswith(prefix)),
        _resource(call.target),
    ])  # fmt: skip


def _resource(target: str) -> str:
    """The path as it was sent, and the signed parameters with decoded values."""
    path, _, query = target.partition("?")
    signed = [member for member in query.split("&") if member.partition("=")[0] in SIGNED_PARAMETERS]
    return f"{path}?{'&'.join(unquote(member, 'latin-1') for member in sorted(signed))}" if signed else path


def _claim(call: Call) -> tuple[str, str]:
    """The access key and the signature of the Authorization header."""
    authorization = call.headers.get("authorization", "")
    if not authorization:
        raise ObsError("AccessDenied", "the request is not signed: the Authorization header is missing")
    scheme, _, claim = authorization.partition(" ")
    access_key, colon, signature = claim.strip(BLANKS).partition(":")
    if scheme.startswith("AWS4"):
        message = f"signatures {scheme} are not supported by the local service; use signatures 'obs' or 'v2'"
        raise ObsError("NotImplemented", message)
    if scheme != call.dialect.scheme or not colon:
        raise ObsError("InvalidArgument", "write the Authorization header as `OBS <access key>:<signature>`")
    return access_key, signature


def _check_date(call: Call, now: float) -> None:
    """Raise `ObsError` if the date is missing or too far from the current time."""
    name = f"{call.dialect.prefix}date"
    text = call.headers.get(name) or call.headers.get("date", "")
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        raise ObsError("AccessDenied", f"Date or {name} is missing, or not written as {formatdate(now)!r}") from None
    seconds = (date if date.tzinfo else date.replace(tzinfo=timezone.utc)).timestamp()
    if abs(seconds - now) > MAX_CLOCK_SKEW:
        raise ObsError(
            "RequestTimeTooSkewed",
            f"the date {text} is more than 15 minutes away from the time here, {formatdate(now, usegmt=True)}",
        )
