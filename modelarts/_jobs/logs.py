"""Reading the log files of a version: where they begin, and what was added since the last reading."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from modelarts._transport.response import Response, bad_member, waited
from modelarts._wire.v1.limits import LOG_LINES
from modelarts.errors import ModelArtsError

if TYPE_CHECKING:
    from modelarts._jobs.reconnect import ReconnectingClient

LONG_PAGE = 30_000  # characters; a page that a service cuts at its own limit has at least as many
FIRST = "0"  # position of the beginning, at services whose positions are numbers of bytes


def names_in(response: Response) -> list[str]:
    """The names of the log files; the REST table says String, its sample is an array (LOGLIST)."""
    names = response.get("log_file_list") or []
    return [names] if isinstance(names, str) else names


class Page(NamedTuple):
    """Text of a log, and the number of the worker that wrote it; `None` where there is only one."""

    content: str
    worker: int | None


class LogReader:
    """One log file, read page by page from its beginning."""

    def __init__(self, client: ReconnectingClient, version: dict[str, Any], name: str, worker: int | None) -> None:
        self._client = client
        self._version = version
        self._name = name
        self._worker = worker
        self._position: str | None = None
        self.held = False  # whether the service says that it held the last reply back
        self._is_complete = False  # whether it says that nothing follows the last page

    def pages(self) -> Iterator[Page]:
        """All pages up to the present end of the log."""
        while not self._is_complete and (page := self.page()).content:
            yield page

    def page(self, hold: int = 0) -> Page:
        """The next page, which may be empty.

        Args:
            hold: seconds that the service is asked to wait for one.
        """
        response = self._read(self._position, "desc", hold)
        self.held = waited(response)
        if self._position is None and _is_long(response):
            response = self._beginning(response)
        content = response.get("content") or ""
        if self._position is not None and response.get("start_line") == self._position:
            content = content.partition("\n")[2]  # a service that repeats the line it starts from
        end = response.get("end_line")
        if content and not end:
            raise bad_member(response, "end_line", end)  # without it, the same page would be read for ever
        if end == self._position:
            content = ""  # nothing was added
        self._position = end or self._position
        self._is_complete = response.get("is_complete") is True
        return Page(content, self._worker)

    def _beginning(self, page: Response) -> Response:
        """The first page of the log; `page` holds its newest lines, which is what a request without position gets.

        Positions mean something to the service alone. Those of many services are bytes; a page at byte 0 is the first
        one if there is nothing before it. Elsewhere the log is read backward from its newest lines.
        """
        with suppress(ModelArtsError):  # whatever another service makes of it
            first = self._client.call_once(*self._request(FIRST, "desc"), raise_on_error=True)
            page = first if first.get("content") else page
        while (before := self._read(start := page.get("start_line"), "asc")).get("content"):
            if before.get("start_line") in (None, start):
                break
            page = before
        return page

    def _read(self, position: str | None, order: str, hold: int = 0) -> Response:
        return self._client.call(*self._request(position, order), prefer=f"wait={hold}" if hold > 0 else "")

    def _request(self, position: str | None, order: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """The operation, path and query that read a page."""
        query = {"log_file": self._name, "base_line": position, "lines": LOG_LINES, "order": order}
        return "get_training_job_log", self._version, query


def _is_long(page: Response) -> bool:
    """Whether there may be more before a page of newest lines."""
    return (page.get("lines") or 0) >= LOG_LINES or len(page.get("content") or "") >= LONG_PAGE
