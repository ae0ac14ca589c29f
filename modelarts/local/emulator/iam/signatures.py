"""Verifying SDK-HMAC-SHA256 signatures (modelarts_03_0004, modelarts_03_0005), over a request as it was sent."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from urllib.parse import quote, unquote_to_bytes

import attrs

from modelarts.local.api.errors import ApiFailure

ALGORITHM = "SDK-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
BLANKS = " \t"  # no others: in the bytes of a header there are halves of characters that look like some
MOST_SECONDS_APART = 15 * 60  # of the sender's clock and ours
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} (?:Access|Credential)=(?P<key>[^,/\s]+)(?:/[^,\s]*)?, ?"
    r"SignedHeaders=(?P<headers>[^,\s]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


@attrs.frozen
class Received:
    """A request as it came: the path and the query still encoded, headers under their names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


@attrs.frozen
class Claim:
    """What an `Authorization` header says."""

    access_key: str
    signed_headers: tuple[str, ...]
    signature: str

    @classmethod
    def of(cls, authorization: str) -> Claim:
        found = _AUTHORIZATION.fullmatch(authorization.strip())
        if not found:
            raise ApiFailure(
                "ModelArts.0206",
                f"the Authorization header is malformed; write {ALGORITHM} Access=…, SignedHeaders=…, Signature=…",
                401,
            )
        return cls(found["key"], tuple(found["headers"].split(";")), found["signature"])


def check_date(headers: Mapping[str, str], now: float) -> None:
    """Refuse a request that was not signed just now."""
    try:
        date = datetime.strptime(headers.get("x-sdk-date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise _unverified("X-Sdk-Date is missing, or not written as in 20190307T101459Z") from None
    if abs(date.timestamp() - now) > MOST_SECONDS_APART:
        raise ApiFailure(
            "ModelArts.0207",
            f"the signature has expired: X-Sdk-Date {headers['x-sdk-date']} is more than 15 minutes away from "
            f"the time of this service, {datetime.fromtimestamp(now, timezone.utc):%Y%m%dT%H%M%SZ}",
            401,
        )


def check_signature(claim: Claim, received: Received, secret_key: str) -> None:
    """Refuse a request that was not signed with this key, or is not the one that was signed."""
    for name in ("host", "x-sdk-date"):
        if name not in claim.signed_headers:
            raise _unverified(f"the header {name} is not among the signed ones")
    missing = [name for name in claim.signed_headers if name not in received.headers]
    if missing:
        raise _unverified(f"signed headers are missing: {', '.join(missing)}")
    stated = received.headers.get("x-sdk-content-sha256")
    if stated not in (None, UNSIGNED_PAYLOAD, hashlib.sha256(received.body).hexdigest()):
        raise _unverified("X-Sdk-Content-Sha256 is not that of the body")
    text = string_to_sign(canonical_request(received, claim.signed_headers), received.headers["x-sdk-date"])
    expected = hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, claim.signature):
        raise _unverified("the signature is not that of this request with this access key's secret")


def canonical_request(received: Received, signed_headers: Sequence[str]) -> bytes:
    """The bytes whose digest is signed."""
    lines = [
        received.method.upper(),
        _canonical_path(received.path),
        _canonical_query(received.query),
        *(f"{name}:{received.headers[name].strip(BLANKS)}" for name in signed_headers),
        "",
        ";".join(signed_headers),
        _payload_digest(received),
    ]
    return "\n".join(lines).encode("latin-1")  # the bytes of headers as they came


def string_to_sign(canonical: bytes, date: str) -> str:
    return f"{ALGORITHM}\n{date}\n{hashlib.sha256(canonical).hexdigest()}"


def _payload_digest(received: Received) -> str:
    stated = received.headers.get("x-sdk-content-sha256")
    return stated if received.body and stated else hashlib.sha256(received.body).hexdigest()


def _canonical_path(path: str) -> str:
    segments = unquote_to_bytes(path.encode("latin-1")).split(b"/")
    encoded = "/".join(quote(segment, safe="~") for segment in segments)
    return encoded if encoded.endswith("/") else f"{encoded}/"


def _canonical_query(query: str) -> str:
    """Sorted by what names and values are, not by how they are written. A plus sign is a blank, as handlers read it."""
    pairs = [member.partition("=") for member in query.split("&") if member]
    decoded = sorted((_decoded(name), _decoded(value)) for name, _, value in pairs)
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in decoded)


def _decoded(text: str) -> bytes:
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1"))


def _unverified(why: str) -> ApiFailure:
    return ApiFailure("ModelArts.0208", f"the Authorization header failed verification: {why}", 401)
