"""Login with a password: it is exchanged for a token and temporary keys, which are renewed in time."""

from __future__ import annotations

import copy
import logging
import os
import threading
import time
from typing import Callable, Optional

from modelarts._auth.iam import ExpiringCredential, Iam, Token
from modelarts._auth.signing import Keys
from modelarts.errors import AuthError, ConnectionFailed, ModelArtsError

logger = logging.getLogger("modelarts")

PAUSE = 30.0  # seconds until a failed renewal is tried again, while the present credential is still valid


class PasswordAuth:
    """A user's password, exchanged for a token that is kept in memory and renewed in time (modelarts_03_0004).

    Nothing is sent before the first call.

    Args:
        iam: the service that logs in.
        account: account (domain) name; the user's name when empty.
        username, password: of the user.
        region_name: the region; the token is for its project.
    """

    def __init__(self, iam: Iam, account: str, username: str, password: str, region_name: str) -> None:
        self._iam = iam
        self._account = account or username
        self._username = username
        self._region = region_name
        self._token = _CachedCredential(lambda: iam.log_in(self._account, username, password, region_name), iam)
        self._keys = _CachedCredential(self._fetch_keys, iam)
        self._sent = threading.local()

    def __repr__(self) -> str:
        return f"PasswordAuth(account={self._account!r}, username={self._username!r}, region_name={self._region!r})"

    @property
    def project_id(self) -> str:
        """The project that the token is for."""
        token: Token = self._token.get().value
        return token.project_id

    def apply(self, method: str, url: str, headers: dict[str, str], body: bytes) -> None:
        self._sent.credential = self._token.get()
        headers["X-Auth-Token"] = self._sent.credential.value.text

    def renew(self) -> bool:
        """Get a new token after a 401, unless another thread has got one since this thread's was sent."""
        self._token.get(refused=getattr(self._sent, "credential", None))
        return True

    def keys(self, refused: Keys | None = None) -> Keys:
        """Temporary keys, renewed like the token."""
        credential = self._keys.get()
        if refused is not None and credential.value == refused:
            credential = self._keys.get(refused=credential)
        keys: Keys = credential.value
        return keys

    def _fetch_keys(self) -> ExpiringCredential:
        token = self._token.get()
        try:
            return self._iam.temporary_keys(token.value.text)
        except AuthError as error:
            if error.status != 401:
                raise
            return self._iam.temporary_keys(self._token.get(refused=token).value.text)


class _CachedCredential:
    """A credential that one thread renews while others wait, for as long as their calls may take at most.

    Args:
        fetch: gets a new one.
        iam: its transport knows how long the current call may take.
    """

    def __init__(self, fetch: Callable[[], ExpiringCredential], iam: Iam) -> None:
        self._fetch = fetch
        self._iam = iam
        self._credential: Optional[ExpiringCredential] = None
        self._failure: Optional[ModelArtsError] = None
        self._rounds = 0
        self._not_before = 0.0
        self._process, self._lock = os.getpid(), threading.Lock()

    def get(self, refused: ExpiringCredential | None = None) -> ExpiringCredential:
        """The credential; after a refusal, another one than the refused."""
        round_before = self._rounds
        credential = self._usable(refused)
        if credential is not None:
            return credential
        if self._process != os.getpid():  # a forked process would wait for a thread that it does not have
            self._lock = threading.Lock()
            self._process = os.getpid()  # last: a thread that sees it sees the lock, too
        if not self._lock.acquire(timeout=max(self._iam.transport.left, 0.0)):
            raise ConnectionFailed(f"{self._iam.url}: no login in time; another thread still waits for it. Check "
                                   "the network, or increase total_timeout.", "POST", self._iam.url)  # fmt: skip
        try:
            credential = self._usable(refused)
            if credential is not None:
                return credential
            if self._rounds != round_before and self._failure is not None:
                raise copy.copy(self._failure)  # of the thread that this one waited for
            return self._renewed(refused)
        finally:
            self._lock.release()

    def _usable(self, refused: ExpiringCredential | None) -> ExpiringCredential | None:
        credential = self._credential
        if credential is None or credential is refused:
            return None
        resting = credential.is_valid and time.monotonic() < self._not_before
        return credential if credential.is_fresh or resting else None

    def _renewed(self, refused: ExpiringCredential | None) -> ExpiringCredential:
        self._failure = None
        try:
            self._credential = self._fetch()
        except ModelArtsError as error:
            kept = self._credential
            if kept is not None and kept is not refused and kept.is_valid and not isinstance(error, AuthError):
                self._not_before = time.monotonic() + PAUSE
                logger.warning("%s; using the present credential, which is valid until %s", error, kept.expires)
                return kept
            self._failure = error
            raise
        finally:
            self._rounds += 1
        return self._credential
