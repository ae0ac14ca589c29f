"""Where the requests of a session go."""

from __future__ import annotations

from typing import Callable, NamedTuple, Optional

from modelarts._auth.signing import Auth


class Endpoint(NamedTuple):
    """An address with the credentials and the project for it.

    `resolve` finds it again when nobody answers or the credentials are refused: a local service that was started again
    has another address. `extended` says that the service takes members of bodies that no document has.
    """

    url: str
    auth: Auth
    project_id: str
    resolve: Optional[Callable[[], Endpoint]] = None
    bypass_proxy: bool = False
    extended: bool = False

    def __repr__(self) -> str:
        return f"Endpoint(url={self.url!r}, auth={self.auth!r}, project_id={self.project_id!r})"
