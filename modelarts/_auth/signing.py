"""Credentials as a session uses them: objects that add headers to a request."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import NamedTuple, Protocol
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from modelarts._wire import bucket_keys
from modelarts.errors import ConfigError

ALGORITHM = "SDK-HMAC-SHA256"


class Keys(NamedTuple):
    """An access key with its secret, and the security token of temporary ones."""

    access_key: str
    secret_key: str
    security_token: str = ""

    def __repr__(self) -> str:
        return f"Keys(access_key={self.access_key!r})"


class Auth(Protocol):
    """The credentials of a session."""

    def apply(self, method: str, url: str, headers: dict[str, str], body: bytes) -> None:
        """Add the headers that authenticate this request; called again for each attempt."""

    def renew(self) -> bool:
        """Renew the credentials after a 401. Returns whether there are some that were not tried yet."""

    def keys(self, refused: Keys | None = None) -> Keys:
        """The access keys that buckets need, other ones than those that were refused if possible.

        Raises:
            ConfigError: there are none.
        """


class TokenAuth(NamedTuple):
    """A token in `X-Auth-Token`, as IAM issues it (modelarts_03_0004)."""

    token: str

    def __repr__(self) -> str:
        return "TokenAuth()"

    def apply(self, method: str, url: str, headers: dict[str, str], body: bytes) -> None:
        headers["X-Auth-Token"] = self.token

    def renew(self) -> bool:
        return False

    def keys(self, refused: Keys | None = None) -> Keys:
        raise ConfigError("this session has a token and no access keys; buckets in the cloud need keys")


class LocalAuth(TokenAuth):
    """A token of the local service, from which the access keys for its buckets are derived."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "LocalAuth()"

    def keys(self, refused: Keys | None = None) -> Keys:
        return Keys(bucket_keys.access_key_of(self.token), bucket_keys.secret_key_of(self.token))


class AkSkAuth(NamedTuple):
    """An access key and its secret: the SDK-HMAC-SHA256 signature (modelarts_03_0004)."""

    access_key: str
    secret_key: str
    project_id: str = ""
    security_token: str = ""

    def __repr__(self) -> str:
        return f"AkSkAuth(access_key={self.access_key!r}, project_id={self.project_id!r})"

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
        import hashlib  # OpenSSL: importing the SDK does not need it
        import hmac

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


def _encoded(text: str) -> str:
    return quote(text, safe="~")


def _canonical_path(path: str) -> str:
    encoded = "/".join(_encoded(segment) for segment in unquote(path).split("/"))
    return encoded if encoded.endswith("/") else encoded + "/"


def _canonical_query(query: str) -> str:
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in pairs)
