"""Names to ids: flavors, engines and built-in algorithms, looked up once and cached for a while."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Callable

from modelarts._api import pages
from modelarts._api.pages import PagedList
from modelarts._transport.response import rows_of
from modelarts._wire.json_records import Record

if TYPE_CHECKING:
    from modelarts._api.client import Client

SPECS, ENGINES, ALGORITHMS = "specs", "engines", "models"

_LISTS: dict[str, tuple[PagedList, dict[str, Any]]] = {
    SPECS: (pages.FLAVORS, {}),
    ENGINES: (pages.ENGINES, {"job_type": "train"}),
    ALGORITHMS: (pages.ALGORITHMS, {}),
}


class Catalog:
    """The cached lists of one session. Those that a call needs are requested at the same time."""

    def __init__(self, client: Client, lifetime: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._lifetime = lifetime
        self._clock = clock
        self._cached: dict[str, tuple[float, list[Record]]] = {}

    def load(self, kinds: Sequence[str], fresh: bool = False) -> list[str]:
        """Make sure that these lists are cached. Returns those that were requested; with `fresh`, all of them."""
        missing = [kind for kind in kinds if fresh or not self._is_cached(kind)]
        if len(missing) < 2:
            for kind in missing:
                self._request(kind)
            return missing
        self._request_together(missing)
        return missing

    def rows(self, kind: str) -> list[Record]:
        """The rows of one list."""
        self.load([kind])
        return self._cached[kind][1]

    def find(self, kind: str, matches: Callable[[Record], bool], is_new: bool = False) -> Record | None:
        """The first row that matches. If there is none, the list is requested again, unless it `is_new`."""
        is_new = bool(self.load([kind])) or is_new
        found = next(filter(matches, self.rows(kind)), None)
        if found is None and not is_new:
            self.load([kind], fresh=True)
            found = next(filter(matches, self.rows(kind)), None)
        return found

    def _is_cached(self, kind: str) -> bool:
        return kind in self._cached and self._clock() - self._cached[kind][0] < self._lifetime

    def _request_together(self, kinds: Sequence[str]) -> None:
        """Request several lists at the same time, with the timeouts of this thread."""
        options = self._client.options
        failures: list[Exception] = []

        def request(kind: str) -> None:
            try:
                with self._client.with_options(options):
                    self._request(kind)
            except Exception as error:  # noqa: BLE001 - it is raised again by the thread that waits
                failures.append(error)

        # Daemon threads: Ctrl-C ends a slow look-up at once.
        threads = [threading.Thread(target=request, args=(kind,), daemon=True) for kind in kinds]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _request(self, kind: str) -> None:
        listed, query = _LISTS[kind]
        rows = rows_of(pages.read_all(self._client, listed, query, raise_on_error=True), kind)
        self._cached[kind] = (self._clock(), rows)  # in one step, without a lock that a fork could copy


def normalize(name: object) -> str:
    """A name for comparisons, without case, blanks, hyphens, underscores and a misprint of the documents (ENGTYPE)."""
    return re.sub(r"[\s_-]", "", str(name)).lower().replace("ascendpowerd", "ascendpowered")


def suggest(name: str, known: Iterable[str]) -> str:
    """The known names that are most similar to an unknown one, as a clause for a message."""
    import difflib

    names = list(dict.fromkeys(known))
    close = difflib.get_close_matches(str(name), names, n=3, cutoff=0.4)
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    if not names:
        return "the service has none"
    more = "" if len(names) <= 8 else f" and {len(names) - 8} more"
    return f"known: {', '.join(map(repr, names[:8]))}{more}"
