"""Lists that come in pages: where their rows are, and all of them as one reply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from modelarts._transport.response import Response, bad_reply, rows_of
from modelarts._wire.json_records import Record
from modelarts._wire.v1 import limits
from modelarts.errors import BadReply

if TYPE_CHECKING:
    from modelarts._api.client import Client

DEFAULT_SIZE = 10  # rows of a page where the request names no size
MOST_PAGES = 1000  # that are read of one list
PATIENCE = 10  # pages in a row that bring no new row


class PagedList(NamedTuple):
    """A list call: the members of its reply that hold the rows and their number, and how large a page may be."""

    operation: str
    rows: str
    row_id: str
    total: str = ""
    most: int = 0  # 0: no pages are documented


FLAVORS = PagedList("list_job_resource_specs", "specs", "spec_id", "spec_total_count")
ENGINES = PagedList("list_job_engines", "engines", "engine_id")
ALGORITHMS = PagedList("list_built_in_algorithms", "models", "model_id", "model_total_count", 100)
JOBS = PagedList("list_training_jobs", "jobs", "job_id", "job_total_count", 1000)
CONFIGS = PagedList("list_training_job_configs", "configs", "config_name", "config_total_count", 1000)
VISUALIZATIONS = PagedList("list_visualization_jobs", "jobs", "job_id", "job_total_count", 1000)


def read_all(
    client: Client, listed: PagedList, query: Mapping[str, Any] | None = None, raise_on_error: bool = False
) -> Response:
    """The first reply of a list, with the rows of all pages in it; or that of a page that failed.

    Further pages are requested when a reply shows that there are some: by its total, or, where it has none, by having
    as many rows as a page may have. A page without a new row ends the list, as of a service that has no pages.
    """
    query = query or {}
    first = client.call(listed.operation, query=query, raise_on_error=raise_on_error)
    rows = list(rows_of(first, listed.rows))
    known = {row[listed.row_id] for row in rows}
    total, is_full = first.get(listed.total), len(rows) == query.get("per_page", DEFAULT_SIZE)
    size = query.get("per_page") or listed.most or len(rows)
    page = 0 if size > len(rows) else 1  # larger pages than the first begin anew
    while rows and page < MOST_PAGES and (len(rows) < total if isinstance(total, int) else is_full):
        page += 1
        paging = {"per_page": size, "page": page}
        reply = client.call(listed.operation, query={**query, **paging}, raise_on_error=raise_on_error)
        if not reply["is_success"]:
            return reply
        found = rows_of(reply, listed.rows)
        new = [row for row in found if row[listed.row_id] not in known]
        if page > 1 and not new:
            break
        known.update(row[listed.row_id] for row in new)
        if page == 1:
            size = len(found)  # what the service returns at most, whatever was requested
        rows, is_full = rows + new, len(found) == size
    if listed.rows in first:
        first[listed.rows] = rows
    return first


def iterate(client: Client, listed: PagedList, call: str, query: Mapping[str, Any]) -> Iterator[Record]:
    """Every row of a list once, requested page by page, also while rows come and go.

    A row that is deleted moves all behind it forward. So after each page the last row of the page before is looked
    up; if it is no longer where it was, that page is read again.

    Args:
        call: the public name of the call, for messages.
        query: the query members but the page, `per_page` among them.

    Raises:
        BadReply: the service returns the same rows again and again, whatever page is requested.
    """
    size = query["per_page"]

    def read(page: int, per_page: int) -> Response:
        reply = client.call(
            listed.operation, query={**query, "per_page": per_page, "page": page}, raise_on_error=True
        )
        count = len(rows_of(reply, listed.rows))
        if count > per_page:
            raise bad_reply(reply, f"with {count} {listed.rows} where at most {per_page} were requested")
        return reply

    def row_at(position: int) -> list[Any]:
        return [row[listed.row_id] for row in rows_of(read(position, 1), listed.rows)]

    seen: set[Any] = set()
    last: dict[int, Any] = {}
    page, without_news = 1, 0
    while True:
        reply = read(page, size)
        rows, total = rows_of(reply, listed.rows), reply.get(listed.total)
        if page == 1 and isinstance(total, int) and 0 < len(rows) < min(size, total):
            size = len(rows)  # what the service returns at most, whatever was requested
        without_news = 0 if any(row[listed.row_id] not in seen for row in rows) else without_news + 1
        if without_news > PATIENCE:
            raise BadReply(f"{call}: page {page} holds only rows of earlier pages, {PATIENCE} times in a row. "
                           "Check the endpoint, and caching proxies between here and there.")  # fmt: skip
        if page > 1 and _has_moved(row_at, (page - 1) * size, last[page - 1]):
            page -= 1
            continue
        for row in rows:
            if row[listed.row_id] not in seen:
                seen.add(row[listed.row_id])
                yield row
        if len(rows) < size:
            return
        last[page] = rows[-1][listed.row_id]
        page += 1


def _has_moved(row_at: Callable[[int], list[Any]], position: int, last: Any) -> bool:
    """Whether another row is now at the position that a row had."""
    return 0 < position <= limits.PAGES and row_at(position) != [last]
