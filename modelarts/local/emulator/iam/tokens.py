"""Tokens and temporary keys. Their content is signed and not stored, so that they stay valid after a restart."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from typing import Any, Callable

import attrs

from modelarts.local.api.errors import ApiFailure
from modelarts.local.emulator.iam.accounts import Account

_TOKEN, _SECURITY_TOKEN, _SECRET = "token", "security token", "secret key"


@attrs.frozen
class Token:
    """A token, and the times when it was issued and when it expires, in seconds since the epoch."""

    text: str = attrs.field(repr=False)
    issued: float
    expires: float


@attrs.frozen
class TemporaryKeys:
    """Access keys that expire."""

    access_key: str
    secret_key: str = attrs.field(repr=False)
    security_token: str = attrs.field(repr=False)
    expires: float


class Tokens:
    """Issues and verifies tokens and temporary keys of an account.

    They are signed with a key derived from the account's secrets. So a new password or a new access key invalidates
    all earlier ones, as in the cloud.
    """

    def __init__(self, account: Account, clock: Callable[[], float] = time.time) -> None:
        self._account = account
        self._clock = clock
        self._key = _mac(account.secret_key.encode(), "seal", f"{account.username}\n{account.password}".encode())

    def issue(self, project_id: str) -> Token:
        """A new token for a project, or for the account if `project_id` is empty."""
        issued = self._clock()
        expires = issued + self._account.token_lifetime
        members = {"project": project_id, "ends": expires, "nonce": secrets.token_hex(8)}
        return Token(self._sign(_TOKEN, members), issued, expires)

    def project_of(self, token: str) -> str:
        """The project of a token; empty for a token of the account. Raises `ApiFailure` (modelarts_03_0095)."""
        members = self._verify(_TOKEN, token)
        if members is None:
            raise ApiFailure("ModelArts.0203", "the token cannot be decoded", 401)
        if not members:
            raise ApiFailure("ModelArts.0203", "the token is invalid: this service did not issue it", 403)
        if members["ends"] <= self._clock():
            raise ApiFailure("ModelArts.0202", "the token has expired", 401)
        return str(members["project"])

    def temporary_keys(self, seconds: float) -> TemporaryKeys:
        """New access keys, valid for `seconds`, at most for the `keys_lifetime` of the account."""
        access_key = "HST" + secrets.token_hex(9).upper()[:17]
        expires = self._clock() + min(seconds, self._account.keys_lifetime)
        security_token = self._sign(_SECURITY_TOKEN, {"access_key": access_key, "ends": expires})
        return TemporaryKeys(access_key, self._secret_of(access_key, expires), security_token, expires)

    def secret_of(self, access_key: str, security_token: str) -> str:
        """The secret of an access key, permanent or temporary. Raises `ApiFailure` (modelarts_03_0095)."""
        permanent = hmac.compare_digest(access_key.encode(), self._account.access_key.encode())
        if permanent and not security_token:
            return self._account.secret_key
        members = self._verify(_SECURITY_TOKEN, security_token)
        if not members or not hmac.compare_digest(access_key.encode(), members["access_key"].encode()):
            reason = "X-Security-Token does not belong to it" if security_token else "there is no such key here"
            raise ApiFailure("ModelArts.0206", f"the access key is invalid: {reason}", 403)
        if members["ends"] <= self._clock():
            raise ApiFailure("ModelArts.0207", "the signature has expired: the temporary access key has expired", 401)
        return self._secret_of(access_key, members["ends"])

    def _secret_of(self, access_key: str, expires: float) -> str:
        return base64.b64encode(_mac(self._key, _SECRET, f"{access_key}\n{expires!r}".encode())).decode()[:40]

    def _sign(self, purpose: str, members: dict[str, Any]) -> str:
        content = json.dumps(members).encode()
        return base64.urlsafe_b64encode(_mac(self._key, purpose, content) + content).decode()

    def _verify(self, purpose: str, text: str) -> dict[str, Any] | None:
        """The signed content; `None` if the text cannot be decoded, empty if the signature is wrong."""
        try:
            raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            return None
        signature, content = raw[:32], raw[32:]
        if not content:
            return None
        if not hmac.compare_digest(signature, _mac(self._key, purpose, content)):
            return {}
        members: dict[str, Any] = json.loads(content)
        return members


def _mac(key: bytes, purpose: str, content: bytes) -> bytes:
    return hmac.new(key, f"{purpose}\n".encode() + content, hashlib.sha256).digest()
