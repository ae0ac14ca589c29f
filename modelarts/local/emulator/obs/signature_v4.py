"""Verifies version 4 signatures in the Authorization header, as clients of S3 write them by default."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Callable
from urllib.parse import quote, unquote_to_bytes

import attrs

from modelarts.local.emulator.iam.signatures import BLANKS, MAX_CLOCK_SKEW
from modelarts.local.emulator.obs import signed_body
from modelarts.local.emulator.obs.errors import ObsApiError
from modelarts.local.emulator.obs.request import ObsRequest
from modelarts.local.emulator.signed_dates import parse_basic_date, parse_signed_http_date

SCHEME = "AWS4-HMAC-SHA256"
_MEMBER = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")
_DATE = "%Y%m%dT%H%M%SZ"


@attrs.frozen
class Header:
    """The members of an Authorization header."""

    access_key: str
    scope: str  # day/region/service/aws4_request
    signed: tuple[str, ...]  # names of headers
    signature: str


def parse(authorization: str) -> Header:
    """The members of a header. Raises `ObsApiError`."""
    found = _MEMBER.findall(authorization)
    members = dict(found)
    access_key, _, scope = members.get("Credential", "").partition("/")
    if not len(found) == len(members) == 3 or not re.fullmatch(r"\d{8}/[\w-]+/s3/aws4_request", scope):
        form = f"{SCHEME} Credential=<key>/<day>/<region>/s3/aws4_request, SignedHeaders=…, Signature=…"
        raise ObsApiError("InvalidArgument", f"write the Authorization header as `{form}`")
    return Header(access_key, scope, tuple(members["SignedHeaders"].split(";")), members["Signature"])


def verify(request: ObsRequest, header: Header, secret_key: str, clock: Callable[[], float] = time.time) -> ObsRequest:
    """The request, whose body is checked while it is read. Raises `ObsApiError` unless the signature is valid."""
    headers = request.headers
    digest = headers.get("x-amz-content-sha256", "")
    date = _checked_date(headers.get("x-amz-date") or headers.get("date", ""), header, clock())
    required = {"host", *(name for name in headers if name.startswith("x-amz-"))}
    if missing := sorted(required - {*header.signed}):
        raise ObsApiError("AccessDenied", f"headers are not signed: {', '.join(missing)}")
    if absent := sorted({*header.signed} - {*headers}):
        raise ObsApiError("AccessDenied", f"signed headers are missing: {', '.join(absent)}")
    text = "\n".join((SCHEME, date, header.scope, _sha256(_canonical(request, header.signed, digest))))
    if not hmac.compare_digest(_signature(secret_key, header.scope, text), header.signature.encode("latin-1")):
        reason = "the signature does not match this request and the secret of this access key"
        raise ObsApiError("SignatureDoesNotMatch", reason)
    return signed_body.checked(request, digest)


def _canonical(request: ObsRequest, signed: Iterable[str], digest: str) -> str:
    path = request.target.partition("?")[0]
    members = sorted(f"{quote(name, safe='~')}={quote(value or '', safe='~')}" for name, value in request.query)
    return "\n".join((
        request.method,
        quote(unquote_to_bytes(path.encode("latin-1")), safe="/~"),
        "&".join(members),
        *(f"{name}:{' '.join(request.headers[name].strip(BLANKS).split())}" for name in signed),
        "",
        ";".join(signed),
        digest,
    ))  # fmt: skip


def _signature(secret_key: str, scope: str, text: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode("latin-1"), hashlib.sha256).hexdigest().encode()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("latin-1")).hexdigest()


def _checked_date(text: str, header: Header, now: float) -> str:
    """The date as it is signed, from `x-amz-date` or `Date`.

    Raises:
        ObsApiError: it is missing, is not that of the scope, or is too far from the current time.
    """
    seconds = parse_signed_http_date(text)
    if seconds is None:
        seconds = parse_basic_date(text)
    if seconds is None:
        raise ObsApiError("AccessDenied", "x-amz-date is missing, or not written as in 20190307T101459Z")
    date = datetime.fromtimestamp(seconds, timezone.utc).strftime(_DATE)
    if not header.scope.startswith(date[:8]):
        raise ObsApiError("AccessDenied", f"the day of the scope {header.scope} is not that of x-amz-date {date}")
    if abs(seconds - now) > MAX_CLOCK_SKEW:
        here = datetime.fromtimestamp(now, timezone.utc).strftime(_DATE)
        raise ObsApiError(
            "RequestTimeTooSkewed", f"the date {date} differs by more than 15 minutes from the time here, {here}"
        )
    return date
