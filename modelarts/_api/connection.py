"""What a session sends requests with, created when the first one is sent: many scripts of jobs use buckets only."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Callable, Optional
from urllib.parse import urlsplit

from modelarts._api.catalog import SPECS, Catalog
from modelarts._api.endpoint import Endpoint
from modelarts._settings.table import Settings

if TYPE_CHECKING:
    from modelarts._api.client import Client
    from modelarts._transport.transport import Transport

_NEAR = ("127.0.0.1", "localhost", "::1")


class Connection:
    """One client and one catalog for all threads of a session.

    Args:
        endpoint: where requests go.
        new_transport: creates what sends them.
        settings: of the session.
    """

    def __init__(self, endpoint: Endpoint, new_transport: Callable[[], Transport], settings: Settings) -> None:
        self._first_endpoint = endpoint
        self._new_transport = new_transport
        self._settings = settings
        self._client: Optional[Client] = None
        self._catalog: Optional[Catalog] = None
        self._is_near: Optional[bool] = None
        self._creating = threading.Lock()

    @property
    def endpoint(self) -> Endpoint:
        """Where requests go now; a local service may have been restarted."""
        return self._first_endpoint if self._client is None else self._client.endpoint

    def connect(self) -> Client:
        """The client; it is created unless there is one."""
        with self._creating:
            if self._client is None:
                from modelarts._api.client import Client

                self._client = Client(self._first_endpoint, self._new_transport(), self._settings["strict"].value)
            return self._client

    @property
    def catalog(self) -> Catalog:
        client = self.connect()
        with self._creating:
            if self._catalog is None:
                self._catalog = Catalog(client, self._settings["catalog_lifetime"].value)
            return self._catalog

    def offers(self, machine: str) -> bool:
        """Whether the service is on this machine: its address says so, and it has the flavor of this machine."""
        if not self.endpoint.extended and self._is_near is None:
            near = urlsplit(self.endpoint.url).hostname in _NEAR
            self._is_near = near and any(row.get("spec_code") == machine for row in self.catalog.rows(SPECS))
        return self.endpoint.extended or bool(self._is_near)

    def close(self) -> None:
        """Close the connections that were opened; the next request opens new ones."""
        if self._client is not None:
            self._client.close()
