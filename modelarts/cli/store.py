"""The store of the local service, for commands that work on it without the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from modelarts._settings.home import home_directory
from modelarts.errors import ServiceError

if TYPE_CHECKING:
    from modelarts.local.store import Store


@contextmanager
def open_store() -> Iterator[Store]:
    """Open it, and create it if there is none. Raises `ServiceError`."""
    from modelarts.local.paths import LocalHome
    from modelarts.local.store import Store, StoreError

    paths = LocalHome.of(home_directory())
    try:
        paths.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(Store(paths.store)) as store:
            yield store
    except StoreError as error:
        raise ServiceError(f"the store {paths.store} cannot be used: {error}") from None
