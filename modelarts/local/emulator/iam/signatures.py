"""Verifies SDK-HMAC-SHA256 signatures (modelarts_03_0004, modelarts_03_0005)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from urllib.parse import quote, unquote_to_bytes

import attrs

from modelarts.local.api.errors import ApiFailure
from modelarts.local.emulator.signed_dates import parse_basic_date

ALGORITHM = "SDK-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
BLANKS = " \t"  # only these: str.strip() would also cut bytes of characters that are decoded as latin-1
MAX_CLOCK_SKEW = 15 * 60  # between the clocks of client and service
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} (?:Access|Credential)=(?P<key>[^,/\s]+)(?:/[^,\s]*)?, ?"
    r"SignedHeaders=(?P<headers>[^,\s]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


@attrs.frozen
class SignedRequest:
    """A request as it was sent: path and query are still encoded, names of headers are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


@attrs.frozen
class AuthorizationHeader:
    """The parsed `Authorization` header."""

    access_key: str
    signed_headers: tuple[str, ...]
    signature: str

    @classmethod
    def of(cls, authorization: str) -> AuthorizationHeader:
        found = _AUTHORIZATION.fullmatch(authorization.strip())
        if not found:
            raise ApiFailure(
                "ModelArts.0206",
                f"the Authorization header is malformed; write {ALGORITHM} Access=…, SignedHeaders=…, Signature=…",
                401,
            )
        return cls(found["key"], tuple(found["headers"].split(";")), found["signature"])


def check_date(headers: Mapping[str, str], now: float) -> None:
    """Raise `ApiFailure` if the signature is too old, or its date is in the future."""
    seconds = parse_basic_date(headers.get("x-sdk-date", ""))
    if seconds is None:
        raise _unverified("X-Sdk-Date is missing, or not written as in 20190307T101459Z")
    if abs(seconds - now) > MAX_CLOCK_SKEW:
        raise ApiFailure(
            "ModelArts.0207",
            f"the signature has expired: X-Sdk-Date {headers['x-sdk-date']} differs by more than 15 minutes from "
            f"the time of this service, {datetime.fromtimestamp(now, timezone.utc):%Y%m%dT%H%M%SZ}",
            401,
        )


def check_query(query: str) -> None:
    """Raise `ApiFailure` for a name that occurs twice: the signature is the same in any order, what is done is not."""
    names = [_decoded(member.partition("=")[0]) for member in query.split("&") if member]
    if len({*names}) < len(names):
        raise _unverified("a parameter of the query occurs more than once")


def check_signature(header: AuthorizationHeader, request: SignedRequest, secret_key: str) -> None:
    """Raise `ApiFailure` unless this request was signed with this key."""
    for name in ("host", "x-sdk-date"):
        if name not in header.signed_headers:
            raise _unverified(f"the header {name} is not signed")
    missing = [name for name in header.signed_headers if name not in request.headers]
    if missing:
        raise _unverified(f"signed headers are missing: {', '.join(missing)}")
    header_digest = request.headers.get("x-sdk-content-sha256")
    if header_digest not in (None, UNSIGNED_PAYLOAD, hashlib.sha256(request.body).hexdigest()):
        raise _unverified("X-Sdk-Content-Sha256 does not match the body")
    text = string_to_sign(canonical_request(request, header.signed_headers), request.headers["x-sdk-date"])
    expected = hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, header.signature):
        raise _unverified("the signature does not match this request and the secret of this access key")


def canonical_request(request: SignedRequest, signed_headers: Sequence[str]) -> bytes:
    """The bytes whose digest is signed."""
    lines = [
        request.method.upper(),
        _canonical_path(request.path),
        _canonical_query(request.query),
        *(f"{name}:{request.headers[name].strip(BLANKS)}" for name in signed_headers),
        "",
        ";".join(signed_headers),
        _payload_digest(request),
    ]
    return "\n".join(lines).encode("latin-1")  # the bytes of headers as they were received


def string_to_sign(canonical: bytes, date: str) -> str:
    return f"{ALGORITHM}\n{date}\n{hashlib.sha256(canonical).hexdigest()}"


def _payload_digest(request: SignedRequest) -> str:
    header_digest = request.headers.get("x-sdk-content-sha256")
    return header_digest if request.body and header_digest else hashlib.sha256(request.body).hexdigest()


def _canonical_path(path: str) -> str:
    segments = unquote_to_bytes(path.encode("latin-1")).split(b"/")
    encoded = "/".join(quote(segment, safe="~") for segment in segments)
    return encoded if encoded.endswith("/") else f"{encoded}/"


def _canonical_query(query: str) -> str:
    """Names and values are decoded, then sorted. A plus sign is a space, as for the handlers."""
    pairs = [member.partition("=") for member in query.split("&") if member]
    decoded = sorted((_decoded(name), _decoded(value)) for name, _, value in pairs)
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in decoded)


def _decoded(text: str) -> bytes:
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1"))


def _unverified(reason: str) -> ApiFailure:
    return ApiFailure("ModelArts.0208", f"the Authorization header failed verification: {reason}", 401)
