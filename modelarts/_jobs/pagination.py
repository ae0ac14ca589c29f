"""Lists: their documented arguments, all their pages, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from modelarts._transport.response import bad_answer, rows_of
from modelarts._wire.json_records import Record
from modelarts._wire.v1 import limits
from modelarts._wire.v1.status import JOB_STATE
from modelarts.errors import ArgumentError, ArgumentProblem, BadReply

if TYPE_CHECKING:
    from modelarts._api.client import Client

PATIENCE = 10  # pages in a row that bring no new row
Value = TypeVar("Value", int, str)


class _DefaultNumber(int):
    """See `doc_default`."""


class _DefaultText(str):
    """See `doc_default`."""


def doc_default(value: Value) -> Value:
    """A default as the documents print it; not sent, because the service has defaults of its own (ORDER, SORT)."""
    return _DefaultNumber(value) if isinstance(value, int) else _DefaultText(value)


def is_set(value: object) -> bool:
    """Whether the caller gave an argument, be it the same as its documented default."""
    return value is not None and not isinstance(value, (_DefaultNumber, _DefaultText))


@attrs.frozen
class Listing:
    """A list call: how it is made, and which words it sorts by."""

    operation: str
    call: str
    rows: str
    row_id: str
    total: str
    most: int
    sorts: tuple[str, ...]
    aliases: Mapping[str, str] = attrs.field(factory=dict)

    def query(
        self,
        status: Any,
        per_page: Any,
        page: Any,
        sort_by: Any,
        order: Any,
        search_content: Any,
        workspace_id: Any = None,
        config_type: Any = None,
    ) -> dict[str, Any]:
        """The query members that were given. Raises `ArgumentError` for those that break a rule."""
        sort = self.aliases.get(sort_by, sort_by) if is_set(sort_by) else sort_by
        asked = {
            "status": None if status is None else _statuses(status), "per_page": per_page, "page": page,
            "sortBy": sort, "order": order, "search_content": search_content, "workspace_id": workspace_id,
            "config_type": config_type,
        }  # fmt: skip
        query = {name: value for name, value in asked.items() if is_set(value)}
        faults = list(self._faults(query))
        if status is not None and not query["status"]:
            faults.append(ArgumentProblem("status", status, f"numbers from 0 to {len(JOB_STATE) - 1}, or status names"))
        if faults:
            raise ArgumentError(self.call, faults)
        return query

    def _faults(self, query: Mapping[str, Any]) -> Iterator[ArgumentProblem]:
        for name, most in (("per_page", self.most), ("page", limits.PAGES)):
            value = query.get(name, 1)
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
                yield ArgumentProblem(name, value, f"a whole number from 1 to {most}")
        if query.get("sortBy", self.sorts[0]) not in self.sorts:
            yield ArgumentProblem("sort_by", query["sortBy"], f"one of {', '.join(self.sorts)}")
        if query.get("order", "asc") not in ("asc", "desc"):
            yield ArgumentProblem("order", query["order"], "asc or desc")
        if len(str(query.get("search_content", ""))) > limits.SEARCH_LENGTH:
            rule = f"at most {limits.SEARCH_LENGTH} characters"
            yield ArgumentProblem("search_content", query["search_content"], rule)


JOBS = Listing(
    "list_training_jobs", "get_job_list", "jobs", "job_id", "job_total_count", 1000,
    ("job_name", "job_desc", "status", "duration", "version_count", "create_time", "engine_type"),
)  # fmt: skip
CONFIGS = Listing(
    "list_training_job_configs", "get_job_configs_list", "configs", "config_name", "config_total_count", 1000,
    ("config_name", "config_desc", "create_time"), {"job_name": "config_name", "job_desc": "config_desc"},
)  # fmt: skip
VISUALIZATIONS = Listing(
    "list_visualization_jobs", "get_visualization_job_list", "jobs", "job_id", "job_total_count", 1000,
    ("job_id", "job_name", "job_desc", "create_time", "status", "duration", "log_dir"),
)  # fmt: skip

JOB_COLUMNS = ("job_id", "job_name", "status", "version_count", "duration", "create_time", "job_desc")
VERSION_COLUMNS = ("version_id", "version_name", "status", "duration", "create_time", "engine_version")
CONFIG_COLUMNS = ("config_name", "engine_name", "engine_version", "create_time", "config_desc")
VISUALIZATION_COLUMNS = ("job_id", "job_name", "status", "duration", "create_time", "service_url", "job_desc")

def iterate(client: Client, listing: Listing, filters: Mapping[str, Any]) -> Iterator[Record]:
    """Every row of a list once, asked for page by page, also while rows come and go.

    A row that is deleted moves all behind it forward. So after each page it is looked up whether the last row of
    the page before still stands where it stood; if not, that page is read again.

    Raises:
        BadReply: the service gives the same rows again and again, whatever page is asked for.
    """
    arguments = dict.fromkeys(("status", "per_page", "page", "sort_by", "order", "search_content"))
    arguments.update({"per_page": listing.most, "sort_by": "create_time", "order": "asc"}, **filters)
    query = listing.query(**arguments)
    size = query["per_page"]

    def read(page: int, per_page: int = size) -> list[Record]:
        asked = {**query, "per_page": per_page, "page": page}
        answer = client.call(listing.operation, query=asked, raise_on_error=True)
        rows = rows_of(answer, listing.rows)
        if len(rows) > per_page:
            raise bad_answer(answer, f"with {len(rows)} {listing.rows} where {per_page} were asked for")
        return rows

    def last_moved(page: int) -> bool:
        position = page * size
        found = read(position, 1) if 0 < position <= limits.PAGES else None
        return found is not None and [row[listing.row_id] for row in found] != [last[page]]

    seen: set[Any] = set()
    last: dict[int, Any] = {}
    page, without_news = 1, 0
    while True:
        rows = read(page)
        without_news = 0 if any(row[listing.row_id] not in seen for row in rows) else without_news + 1
        if without_news > PATIENCE:
            raise BadReply(f"{listing.call}: page {page} holds only what was there before, {PATIENCE} times in a row. "
                           "Check the endpoint, and proxies on the way that keep answers.")  # fmt: skip
        if page > 1 and last_moved(page - 1):
            page -= 1
            continue
        for row in rows:
            if row[listing.row_id] not in seen:
                seen.add(row[listing.row_id])
                yield row
        if len(rows) < size:
            return
        last[page] = rows[-1][listing.row_id]
        page += 1


def show(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], is_show: bool) -> None:
    """Print rows as a table, if asked to."""
    if is_show:
        from modelarts._display.tables import print_table

        print_table(rows, columns)


def _statuses(status: Any) -> str:
    """A filter as the service wants it: digits, joined by a vertical bar; empty when it is none."""
    items = status if isinstance(status, (list, tuple, set)) else str(status).split("|")
    numbers = [_number(str(int(item)) if isinstance(item, int) else str(item).strip()) for item in items]
    return "" if None in numbers else "|".join(map(str, numbers))


def _number(item: str) -> int | None:
    if item.isascii() and item.isdigit():
        return int(item) if int(item) < len(JOB_STATE) else None
    names = (item.upper(), f"JOBSTAT_{item.upper()}")
    return next((number for number, name in enumerate(JOB_STATE) if name in names), None)
