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
from modelarts.local.emulator.iam.signatures import BLANKS, MOST_SECONDS_APART
from modelarts.local.emulator.iam.tokens import Tokens
from modelarts.local.emulator.obs.calls import Call
from modelarts.local.emulator.obs.errors import ObsRefusal

SIGNED_PARAMETERS = ("delete", "partNumber", "uploadId", "uploads")  # of those that are served here


class Authenticator:
    """Lets requests pass that were signed with the account's access keys, or with temporary ones that still hold."""

    def __init__(self, tokens: Tokens, clock: Callable[[], float] = time.time) -> None:
        self._tokens = tokens
        self._clock = clock

    def prove(self, call: Call) -> None:
        """Raises `ObsRefusal` unless the sender knows the secret."""
        access_key, signature = _claim(call)
        secret_key = self._secret_of(access_key, call.headers.get(f"{call.dialect.prefix}security-token", ""))
        _check_date(call, self._clock())
        text = string_to_sign(call).encode("latin-1")
        expected = base64.b64encode(hmac.new(secret_key.encode(), text, hashlib.sha1).digest())
        if not hmac.compare_digest(expected, signature.encode("latin-1")):
            told = "the signature is not that of this request with this access key's secret"
            raise ObsRefusal("SignatureDoesNotMatch", told)

    def _secret_of(self, access_key: str, token: str) -> str:
        try:
            return self._tokens.secret_of(access_key, token)
        except ApiFailure as refusal:
            if refusal.code == "ModelArts.0207":
                raise ObsRefusal("ExpiredToken", "the temporary access key has ended") from None
        if token:
            raise ObsRefusal("InvalidToken", "the security token does not belong to the access key")
        raise ObsRefusal("InvalidAccessKeyId", "there is no such access key; a temporary one needs its security token")


def string_to_sign(call: Call) -> str:
    """The text that is signed; its characters are bytes of headers as they came."""
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
    """Path and signed parameters: the path as it was sent, the values of parameters decoded."""
    path, _, query = target.partition("?")
    signed = [member for member in query.split("&") if member.partition("=")[0] in SIGNED_PARAMETERS]
    return f"{path}?{'&'.join(unquote(member, 'latin-1') for member in sorted(signed))}" if signed else path


def _claim(call: Call) -> tuple[str, str]:
    """The access key and the signature of the Authorization header."""
    authorization = call.headers.get("authorization", "")
    if not authorization:
        raise ObsRefusal("AccessDenied", "nothing is signed: the Authorization header is missing")
    scheme, _, claim = authorization.partition(" ")
    access_key, colon, signature = claim.strip(BLANKS).partition(":")
    if scheme.startswith("AWS4"):
        raise ObsRefusal("NotImplemented", f"signatures {scheme} are not verified locally; sign as 'obs' or 'v2' does")
    if scheme != call.dialect.scheme or not colon:
        raise ObsRefusal("InvalidArgument", "write the Authorization header as `OBS <access key>:<signature>`")
    return access_key, signature


def _check_date(call: Call, now: float) -> None:
    """Refuse a request that was not signed just now."""
    name = f"{call.dialect.prefix}date"
    text = call.headers.get(name) or call.headers.get("date", "")
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        raise ObsRefusal("AccessDenied", f"Date or {name} is missing, or not written as {formatdate(now)!r}") from None
    seconds = (date if date.tzinfo else date.replace(tzinfo=timezone.utc)).timestamp()
    if abs(seconds - now) > MOST_SECONDS_APART:
        raise ObsRefusal(
            "RequestTimeTooSkewed",
            f"the request is of {text}; that is more than 15 minutes away from {formatdate(now, usegmt=True)} here",
        )
