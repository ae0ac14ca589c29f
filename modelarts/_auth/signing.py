"""Where requests go, and how one proves who sent it: objects with one method, `apply`."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timezone
from typing import Callable, Optional, Protocol
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import attrs

from modelarts.errors import ConfigError

ALGORITHM = "SDK-HMAC-SHA256"


@attrs.frozen
class Keys:
    """An access key with its secret, and the token that temporary ones come with; what OBS needs."""

    access_key: str
    secret_key: str = attrs.field(repr=False)
    security_token: str = attrs.field(default="", repr=False)


class Auth(Protocol):
    """What a session needs of a credential."""

    def apply(self, method: str, url: str, headers: dict[str, str], body: bytes) -> None:
        """Add the headers that prove who sent this very request; called anew for each attempt."""

    def renew(self) -> bool:
        """Get a new proof after a 401; whether there is one that was not tried yet."""

    def keys(self, refused: Keys | None = None) -> Keys:
        """The access keys that buckets need, and others than those that were refused if there are any.

        Raises:
            ConfigError: there are none.
        """


@attrs.frozen
class TokenAuth:
    """A token in `X-Auth-Token`: the local service's own, or one from IAM (modelarts_03_0004)."""

    token: str = attrs.field(repr=False)

    def apply(self, method: str, url: str, headers: dict[str, str], body: bytes) -> None:
        headers["X-Auth-Token"] = self.token

    def renew(self) -> bool:
        return False

    def keys(self, refused: Keys | None = None) -> Keys:
        raise ConfigError("this session has a token and no access keys; buckets in the cloud need keys")


@attrs.frozen
class AkSkAuth:
    """An access key and its secret: the SDK-HMAC-SHA256 signature (modelarts_03_0004)."""

    access_key: str
    secret_key: str = attrs.field(repr=False)
    project_id: str = ""
    security_token: str = attrs.field(default="", repr=False)

    def apply(self, method: str, url: str, headers: dict[str, str], body: bytes) -> None:
        parts = urlsplit(url)
        headers["Host"] = parts.netloc
        headers["X-Sdk-Date"] = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        if self.project_id:
            headers["X-Project-Id"] = self.project_id
        if self.security_token:
            headers["X-Security-Token"] = self.security_token
        headers["Authorization"] = self.authorization(method, parts.path, parts.query, headers, body)

    def renew(self) -> bool:
        return False

    def keys(self, refused: Keys | None = None) -> Keys:
        return Keys(self.access_key, self.secret_key, self.security_token)

    def authorization(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> str:
        """The `Authorization` value for a request with exactly these headers and bytes."""
        signed = {name.lower(): value.strip() for name, value in headers.items() if "_" not in name}
        signed.pop("authorization", None)
        names = ";".join(sorted(signed))
        canonical = "\n".join(
            (
                method.upper(),
                _canonical_path(path),
                _canonical_query(query),
                *(f"{name}:{signed[name]}" for name in sorted(signed)),
                "",
                names,
                hashlib.sha256(body).hexdigest(),
            )
        )
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"{ALGORITHM}\n{signed['x-sdk-date']}\n{digest}"
        signature = hmac.new(self.secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()
        return f"{ALGORITHM} Access={self.access_key}, SignedHeaders={names}, Signature={signature}"


@attrs.frozen
class Endpoint:
    """Where requests go. `find` asks again after nobody answered: a local service may have moved."""

    url: str
    auth: Auth
    project_id: str
    find: Optional[Callable[[], Endpoint]] = attrs.field(default=None, repr=False)
    bypass_proxy: bool = False  # past proxies, whatever the environment says


def _encoded(text: str) -> str:
    return quote(text, safe="~")


def _canonical_path(path: str) -> str:
    encoded = "/".join(_encoded(segment) for segment in unquote(path).split("/"))
    return encoded if encoded.endswith("/") else encoded + "/"


def _canonical_query(query: str) -> str:
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in pairs)
