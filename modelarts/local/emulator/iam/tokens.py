"""Tokens and temporary keys. What they say is in them, sealed: they outlive a restart, and nothing is stored."""

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
    """A token that was handed out, with when that was and when it ends, in seconds of the epoch."""

    text: str = attrs.field(repr=False)
    issued: float
    ends: float


@attrs.frozen
class TemporaryKeys:
    """Access keys that end."""

    access_key: str
    secret_key: str = attrs.field(repr=False)
    security_token: str = attrs.field(repr=False)
    ends: float


class Tokens:
    """Hands out tokens and temporary keys of an account, and reads them again.

    They are sealed with a key made of the account's own secrets, so that a new password or a new access key makes
    all that was handed out before invalid, as the cloud does.
    """

    def __init__(self, account: Account, clock: Callable[[], float] = time.time) -> None:
        self._account = account
        self._clock = clock
        self._key = _mac(account.secret_key.encode(), "seal", f"{account.username}\n{account.password}".encode())

    def issue(self, project_id: str) -> Token:
        """A new token for a project; without one it is for the account."""
        issued = self._clock()
        ends = issued + self._account.token_lifetime
        members = {"project": project_id, "ends": ends, "nonce": secrets.token_hex(8)}
        return Token(self._sealed(_TOKEN, members), issued, ends)

    def project_of(self, token: str) -> str:
        """The project of a token, empty when it is for the account. Raises `ApiFailure` (modelarts_03_0095)."""
        members = self._opened(_TOKEN, token)
        if members is None:
            raise ApiFailure("ModelArts.0203", "the token cannot be decoded", 401)
        if not members:
            raise ApiFailure("ModelArts.0203", "the token is invalid: it is not one of this service", 403)
        if members["ends"] <= self._clock():
            raise ApiFailure("ModelArts.0202", "the token has expired", 401)
        return str(members["project"])

    def temporary_keys(self, seconds: float) -> TemporaryKeys:
        """New access keys that last so long, or as long as the account allows."""
        access_key = "HST" + secrets.token_hex(9).upper()[:17]
        ends = self._clock() + min(seconds, self._account.keys_lifetime)
        security_token = self._sealed(_SECURITY_TOKEN, {"access_key": access_key, "ends": ends})
        return TemporaryKeys(access_key, self._secret_of(access_key, ends), security_token, ends)

    def secret_of(self, access_key: str, security_token: str) -> str:
        """The secret of an access key, the account's or a temporary one. Raises `ApiFailure` (modelarts_03_0095)."""
        permanent = hmac.compare_digest(access_key.encode(), self._account.access_key.encode())
        if permanent and not security_token:
            return self._account.secret_key
        members = self._opened(_SECURITY_TOKEN, security_token)
        if not members or not hmac.compare_digest(access_key.encode(), members["access_key"].encode()):
            told = "X-Security-Token does not belong to it" if security_token else "there is no such key here"
            raise ApiFailure("ModelArts.0206", f"the access key is invalid: {told}", 403)
        if members["ends"] <= self._clock():
            raise ApiFailure("ModelArts.0207", "the signature has expired: the temporary access key has ended", 401)
        return self._secret_of(access_key, members["ends"])

    def _secret_of(self, access_key: str, ends: float) -> str:
        return base64.b64encode(_mac(self._key, _SECRET, f"{access_key}\n{ends!r}".encode())).decode()[:40]

    def _sealed(self, purpose: str, members: dict[str, Any]) -> str:
        content = json.dumps(members).encode()
        return base64.urlsafe_b64encode(_mac(self._key, purpose, content) + content).decode()

    def _opened(self, purpose: str, text: str) -> dict[str, Any] | None:
        """What was sealed; nothing when the text is no sealed one, empty when somebody else sealed it."""
        try:
            raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            return None
        seal, content = raw[:32], raw[32:]
        if not content:
            return None
        if not hmac.compare_digest(seal, _mac(self._key, purpose, content)):
            return {}
        members: dict[str, Any] = json.loads(content)
        return members


def _mac(key: bytes, purpose: str, content: bytes) -> bytes:
    return hmac.new(key, f"{purpose}\n".encode() + content, hashlib.sha256).digest()
