"""The login of a session as scripts read it: `session.auth.access_key` and the like."""

from __future__ import annotations

from typing import Callable

from modelarts._auth.signing import Keys


class LoginAttributes:
    """Keys and addresses of a session.

    With a password the keys are temporary ones, which are requested when one of them is read. In local mode keys and
    addresses are those of the service of this machine, whatever the script gives: nothing leads to the cloud.

    Attributes:
        access_key, secret_key, security_token: the current keys; empty if there are none.
        iam_server, obs_server: URLs; empty if they are not known.
    """

    def __init__(self, keys: Callable[[], Keys], iam_server: str, obs_server: str) -> None:
        self._keys = keys
        self.iam_server = iam_server
        self.obs_server = obs_server

    @property
    def access_key(self) -> str:
        return self._keys().access_key

    @property
    def secret_key(self) -> str:
        return self._keys().secret_key

    @property
    def security_token(self) -> str:
        return self._keys().security_token

    def __repr__(self) -> str:  # without the keys
        return f"LoginAttributes(iam_server={self.iam_server!r}, obs_server={self.obs_server!r})"


class LoginProperties:
    """Base of a session: some scripts read the same of the session itself."""

    auth: LoginAttributes

    @property
    def access_key(self) -> str:
        """The same as `auth.access_key`."""
        return self.auth.access_key

    @property
    def secret_key(self) -> str:
        """The same as `auth.secret_key`."""
        return self.auth.secret_key

    @property
    def iam_server(self) -> str:
        """The same as `auth.iam_server`."""
        return self.auth.iam_server

    @property
    def obs_server(self) -> str:
        """The same as `auth.obs_server`."""
        return self.auth.obs_server
