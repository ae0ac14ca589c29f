"""Lists: their documented filters, all their pages, and the columns of their tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from modelarts._api import pages
from modelarts._api.pages import PagedList
from modelarts._submit import checks
from modelarts._wire.json_records import Record
from modelarts._wire.v1 import limits
from modelarts._wire.v1.status import JOB_STATE
from modelarts.errors import ArgumentProblem

if TYPE_CHECKING:
    from modelarts._api.client import Client

ROWS = 1000  # of the longest page
_CHOICES = {"order": ("asc", "desc"), "config_type": ("custom", "sample")}
Value = TypeVar("Value", int, str)


class _DefaultNumber(int):
    """See `doc_default`."""


class _DefaultText(str):
    """See `doc_default`."""


def doc_default(value: Value) -> Value:
    """A default as documented; not sent, because the service has defaults of its own (ORDER, SORT)."""
    return _DefaultNumber(value) if isinstance(value, int) else _DefaultText(value)


def is_set(value: object) -> bool:
    """Whether the caller passed an argument, even if it equals the documented default."""
    return value is not None and not isinstance(value, (_DefaultNumber, _DefaultText))


class Listing(NamedTuple):
    """A list call: its pages, its documented name, and what its filters may be.

    Args:
        paged: the operation, and the members of its reply.
        call: the documented name.
        sorts: allowed values of `sort_by`; `aliases` maps other documented ones to these.
    """

    paged: PagedList
    call: str
    sorts: tuple[str, ...]
    aliases: Mapping[str, str] = {}

    @property
    def operation(self) -> str:
        return self.paged.operation

    @property
    def rows(self) -> str:
        return self.paged.rows

    def query(self, sort_by: Any = None, sortBy: Any = None, **filters: Any) -> dict[str, Any]:
        """The query of a request: the filters that are set.

        Raises:
            ArgumentError: one or more filters break a documented rule; all are listed.
        """
        sort = "sort_by" if sortBy is None else "sortBy"
        given = {**filters, sort: sort_by if sortBy is None else sortBy}
        query: dict[str, Any] = {}
        problems = []
        for name, value in given.items():
            if is_set(value):
                problem, query[name] = self._checked(name, value)
                problems.append(problem)
        checks.raise_if_any(self.call, *problems)
        if sort in query:
            query["sortBy"] = query.pop(sort)
        return query

    def _checked(self, name: str, value: Any) -> tuple[ArgumentProblem | None, Any]:
        """What is wrong with a filter, and its value as it is sent."""
        if name in ("per_page", "page"):
            most = ROWS if name == "per_page" else limits.PAGES
            return checks.number(name, value, 1, most), checks.whole_number(value)
        if name in ("sort_by", "sortBy"):
            known = self.aliases.get(value, value) if isinstance(value, str) else value
            return checks.choice(name, known, *self.sorts), known
        if name == "status":
            numbers = _statuses(value)
            rule = f"numbers from 0 to {len(JOB_STATE) - 1}, or status names"
            return None if numbers else ArgumentProblem(name, value, rule), numbers
        if name in _CHOICES:
            return checks.choice(name, value, *_CHOICES[name]), value
        return checks.text(name, value, limits.SEARCH_LENGTH if name == "search_content" else None), value


JOBS = Listing(
    pages.JOBS, "get_job_list",
    ("job_name", "job_desc", "status", "duration", "version_count", "create_time", "engine_type"),
)  # fmt: skip
CONFIGS = Listing(
    pages.CONFIGS, "get_job_configs_list",
    ("config_name", "config_desc", "create_time"), {"job_name": "config_name", "job_desc": "config_desc"},
)  # fmt: skip
VISUALIZATIONS = Listing(
    pages.VISUALIZATIONS, "get_visualization_job_list",
    ("job_id", "job_name", "job_desc", "create_time", "status", "duration", "log_dir"),
)  # fmt: skip

VERSION_COLUMNS = ("version_id", "version_name", "status", "duration", "create_time", "engine_version")
CONFIG_COLUMNS = ("config_name", "engine_name", "engine_version", "create_time", "config_desc")
VISUALIZATION_COLUMNS = ("job_id", "job_name", "status", "duration", "create_time", "service_url", "job_desc")


def iterate(
    client: Client,
    listing: Listing,
    *,
    per_page: Any = ROWS,
    sort_by: Any = "create_time",
    order: Any = "asc",
    **filters: Any,
) -> Iterator[Record]:
    """Every row of a list once, read page by page, also while rows are created and deleted.

    A row that is deleted moves all rows behind it forward. So after each page it is checked whether the last row of
    the page before is still at its position; if not, that page is read again.

    Raises:
        ArgumentError: at once, for filters that break a documented rule.
        BadReply: while iterating, when the service answers every page with the same rows.
    """
    query = listing.query(per_page=per_page, sort_by=sort_by, order=order, **filters)
    return pages.iterate(client, listing.paged, listing.call, {"per_page": ROWS, **query})


def show(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], is_show: bool) -> None:
    """Print rows as a table if `is_show`."""
    if is_show:
        from modelarts._display.tables import print_table

        with suppress(OSError, ValueError):  # standard output was closed: the caller has the rows
            print_table(rows, columns)


def _statuses(status: Any) -> str:
    """A filter as the service expects it: numbers joined by `|`; empty when one of them is no status."""
    if isinstance(status, str):
        items: list[Any] = status.split("|")
    elif isinstance(status, Iterable) and not isinstance(status, (bytes, Mapping)):
        items = list(status)
    else:
        items = [status]
    numbers = [_status(item) for item in items]
    return "" if None in numbers else "|".join(map(str, numbers))


def _status(item: Any) -> int | None:
    number = checks.whole_number(item.strip() if isinstance(item, str) else item)
    if number is not None:
        return number if 0 <= number < len(JOB_STATE) else None
    names = (item.strip().upper(), f"JOBSTAT_{item.strip().upper()}") if isinstance(item, str) else ()
    return next((number for number, name in enumerate(JOB_STATE) if name in names), None)
