"""A user's password as a proof: exchanged for a token and temporary keys, which are renewed in time."""

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

PAUSE = 30.0  # seconds until a renewal that failed is tried again, while what there is still holds


class PasswordAuth:
    """A user's password, exchanged for a token that is kept in memory and renewed before it ends (modelarts_03_0004).

    Nothing is asked before the first call.

    Args:
        iam: where to log in.
        account: account (domain) name; the user's name when empty.
        username, password: of the user.
        region_name: region, whose project the token is for.
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
        token: Token = self._token.lease().value
        return token.project_id

    def apply(self, method: str, url: str, headers: dict[str, str], body: bytes) -> None:
        self._sent.lease = self._token.lease()
        headers["X-Auth-Token"] = self._sent.lease.value.text

    def renew(self) -> bool:
        """After a 401: a new token, unless another thread has fetched one since this thread's was sent."""
        self._token.lease(refused=getattr(self._sent, "lease", None))
        return True

    def keys(self, refused: Keys | None = None) -> Keys:
        """Temporary keys, renewed like the token."""
        lease = self._keys.lease()
        if refused is not None and lease.value == refused:
            lease = self._keys.lease(refused=lease)
        keys: Keys = lease.value
        return keys

    def _fetch_keys(self) -> ExpiringCredential:
        token = self._token.lease()
        try:
            return self._iam.temporary_keys(token.value.text)
        except AuthError as error:
            if error.status != 401:
                raise
            return self._iam.temporary_keys(self._token.lease(refused=token).value.text)


class _CachedCredential:
    """A lease that one thread renews while others wait, no longer than their calls may take.

    Args:
        fetch: gets a new one.
        iam: whose transport knows how long the present call may take.
    """

    def __init__(self, fetch: Callable[[], ExpiringCredential], iam: Iam) -> None:
        self._fetch = fetch
        self._iam = iam
        self._lease: Optional[ExpiringCredential] = None
        self._failure: Optional[ModelArtsError] = None
        self._rounds = 0
        self._not_before = 0.0
        self._process, self._lock = os.getpid(), threading.Lock()

    def lease(self, refused: ExpiringCredential | None = None) -> ExpiringCredential:
        """What is valid; after a refusal, another than what was refused."""
        round_before = self._rounds
        lease = self._usable(refused)
        if lease is not None:
            return lease
        if self._process != os.getpid():  # a forked process would wait for a thread that it has not
            self._lock = threading.Lock()
            self._process = os.getpid()  # last: a thread that sees it sees the lock, too
        if not self._lock.acquire(timeout=max(self._iam.transport.left, 0.0)):
            raise ConnectionFailed(f"{self._iam.url}: no login in time; another thread still waits for it. Check "
                                   "the network, or allow the call more time.", "POST", self._iam.url)  # fmt: skip
        try:
            lease = self._usable(refused)
            if lease is not None:
                return lease
            if self._rounds != round_before and self._failure is not None:
                raise copy.copy(self._failure)  # of the thread that this one has waited for
            return self._renewed(refused)
        finally:
            self._lock.release()

    def _usable(self, refused: ExpiringCredential | None) -> ExpiringCredential | None:
        lease = self._lease
        if lease is None or lease is refused:
            return None
        resting = lease.is_valid and time.monotonic() < self._not_before
        return lease if lease.is_fresh or resting else None

    def _renewed(self, refused: ExpiringCredential | None) -> ExpiringCredential:
        self._failure = None
        try:
            self._lease = self._fetch()
        except ModelArtsError as error:
            kept = self._lease
            if kept is not None and kept is not refused and kept.is_valid and not isinstance(error, AuthError):
                self._not_before = time.monotonic() + PAUSE
                logger.warning("%s; going on with what holds until %s", error, kept.ends)
                return kept
            self._failure = error
            raise
        finally:
            self._rounds += 1
        return self._lease
