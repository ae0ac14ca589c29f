"""Signatures of OBS in the `Authorization` header (obs_04_0010)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from email.utils import formatdate
from typing import Optional

import attrs

from modelarts._auth.signing import Keys

_SIGNED_PARAMETERS = frozenset(("delete", "partNumber", "uploadId", "uploads"))  # of those that are sent here


@attrs.frozen
class Dialect:
    """One of the two ways to sign and to name headers that OBS accepts.

    Args:
        scheme: how the value of `Authorization` begins.
        prefix: how the names of its own headers begin.
    """

    scheme: str
    prefix: str


OBS, AWS = Dialect("OBS", "x-obs-"), Dialect("AWS", "x-amz-")


def sign(
    dialect: Dialect, keys: Keys, method: str, resource: str, query: Mapping[str, Optional[str]],
    headers: dict[str, str],
) -> None:  # fmt: skip
    """Add the date, the security token and the signature of a request to its headers.

    Args:
        resource: `/bucket/key`, percent-encoded as it is sent.
        query: the parameters, not encoded; `None` for those without a value.
        headers: all others that the request has.
    """
    headers["Date"] = formatdate(usegmt=True)
    if keys.security_token:
        headers[f"{dialect.prefix}security-token"] = keys.security_token
    text = string_to_sign(dialect, method, resource, query, headers)
    digest = hmac.new(keys.secret_key.encode(), text.encode(), hashlib.sha1).digest()
    headers["Authorization"] = f"{dialect.scheme} {keys.access_key}:{base64.b64encode(digest).decode()}"


def string_to_sign(
    dialect: Dialect, method: str, resource: str, query: Mapping[str, Optional[str]], headers: Mapping[str, str]
) -> str:
    """The text that is signed."""
    given = {name.lower(): value.strip() for name, value in headers.items()}
    signed = sorted(name for name in query if name in _SIGNED_PARAMETERS)
    parameters = "&".join(name if query[name] is None else f"{name}={query[name]}" for name in signed)
    return "\n".join([
        method,
        given.get("content-md5", ""),
        given.get("content-type", ""),
        given.get("date", ""),
        *(f"{name}:{given[name]}" for name in sorted(given) if name.startswith(dialect.prefix)),
        f"{resource}?{parameters}" if parameters else resource,
    ])  # fmt: skip
