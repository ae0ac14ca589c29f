"""Verifies OBS signatures in the Authorization header (obs_04_0010)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from email.utils import formatdate
from typing import Callable, Protocol

import attrs

from modelarts.local.api.errors import ApiFailure
from modelarts.local.emulator.iam.signatures import BLANKS, MAX_CLOCK_SKEW
from modelarts.local.emulator.obs import signature_v4
from modelarts.local.emulator.obs.errors import ObsApiError
from modelarts.local.emulator.obs.request import ObsRequest
from modelarts.local.emulator.signed_dates import parse_signed_http_date

# Of the operations that are implemented.
SIGNED_PARAMETERS = ("acl", "append", "delete", "location", "partNumber", "position", "uploadId", "uploads")


class Secrets(Protocol):
    """The access keys that are accepted."""

    def secret_of(self, access_key: str, security_token: str) -> str:
        """The secret of an access key. Raises `ApiFailure` if there is none, or it has expired."""


class ObsAuthenticator:
    """Accepts requests that are signed with access keys whose secrets are known."""

    def __init__(self, tokens: Secrets, clock: Callable[[], float] = time.time) -> None:
        self._tokens = tokens
        self._clock = clock

    def authenticate(self, request: ObsRequest) -> ObsRequest:
        """The request, if it has a valid signature; its body may be checked only while it is read.

        Raises:
            ObsApiError: it is not signed, or its signature is invalid.
        """
        authorization = request.headers.get("authorization", "")
        if authorization.startswith(f"{signature_v4.SCHEME} "):
            header = signature_v4.parse(authorization)
            secret_key = self._secret_of(header.access_key, request.headers.get("x-amz-security-token", ""))
            return signature_v4.verify(request, header, secret_key, self._clock)
        access_key, signature = _parse_authorization(request)
        secret_key = self._secret_of(access_key, request.headers.get(f"{request.dialect.prefix}security-token", ""))
        _check_date(request, self._clock())
        if not any(_is_signature(text, secret_key, signature) for text in _texts_to_sign(request)):
            reason = "the signature does not match this request and the secret of this access key"
            raise ObsApiError("SignatureDoesNotMatch", reason)
        return request

    def _secret_of(self, access_key: str, token: str) -> str:
        try:
            return self._tokens.secret_of(access_key, token)
        except ApiFailure as error:
            if error.code == "ModelArts.0207":
                raise ObsApiError("ExpiredToken", "the temporary access key has expired") from None
        if token:
            raise ObsApiError("InvalidToken", "the security token does not belong to the access key")
        raise ObsApiError("InvalidAccessKeyId", "there is no such access key; a temporary key needs its security token")


def _is_signature(text: str, secret_key: str, signature: str) -> bool:
    expected = base64.b64encode(hmac.new(secret_key.encode(), text.encode("latin-1"), hashlib.sha1).digest())
    return hmac.compare_digest(expected, signature.encode("latin-1"))


def _texts_to_sign(request: ObsRequest) -> list[str]:
    """What clients sign; boto3 signs the path of a bucket with a slash at its end, and sends it without."""
    path, question, query = request.target.partition("?")
    if request.resource != "bucket" or path.endswith("/"):
        return [string_to_sign(request)]
    return [string_to_sign(request), string_to_sign(attrs.evolve(request, target=f"{path}/{question}{query}"))]


def string_to_sign(request: ObsRequest) -> str:
    """The text that is signed. Each of its characters stands for one byte of the request."""
    headers, prefix = request.headers, request.dialect.prefix
    return "\n".join([
        request.method,
        headers.get("content-md5", ""),
        headers.get("content-type", ""),
        "" if f"{prefix}date" in headers else headers.get("date", ""),
        *(f"{name}:{headers[name].strip(BLANKS)}" for name in sorted(headers) if name.startswith(prefix)),
        _resource(request),
    ])  # fmt: skip


def _resource(request: ObsRequest) -> str:
    """The path as it was sent, and the signed parameters, decoded."""
    path = request.target.partition("?")[0]
    signed = sorted((name, value) for name, value in request.query if name in SIGNED_PARAMETERS)
    members = [name if value is None else f"{name}={value}" for name, value in signed]
    return f"{path}?{'&'.join(members).encode().decode('latin-1')}" if members else path


def _parse_authorization(request: ObsRequest) -> tuple[str, str]:
    """The access key and the signature of the Authorization header."""
    authorization = request.headers.get("authorization", "")
    if not authorization:
        raise ObsApiError("AccessDenied", "the request is not signed: the Authorization header is missing")
    scheme, _, credentials = authorization.partition(" ")
    access_key, colon, signature = credentials.strip(BLANKS).partition(":")
    if scheme.startswith("AWS4"):
        message = f"signatures {scheme} are not supported by the local service; use 'obs', 'v2' or 'v4' (HMAC)"
        raise ObsApiError("NotImplemented", message)
    if scheme != request.dialect.scheme or not colon:
        raise ObsApiError("InvalidArgument", "write the Authorization header as `OBS <access key>:<signature>`")
    return access_key, signature


def _check_date(request: ObsRequest, now: float) -> None:
    """Raise `ObsApiError` if the date is missing or too far from the current time."""
    name = f"{request.dialect.prefix}date"
    text = request.headers.get(name) or request.headers.get("date", "")
    seconds = parse_signed_http_date(text)
    if seconds is None:
        raise ObsApiError("AccessDenied", f"Date or {name} is missing, or not written as {formatdate(now)!r}")
    if abs(seconds - now) > MAX_CLOCK_SKEW:
        raise ObsApiError(
            "RequestTimeTooSkewed",
            f"the date {text} differs by more than 15 minutes from the time here, {formatdate(now, usegmt=True)}",
        )
