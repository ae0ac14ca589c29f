"""What handlers get and return: the parts of the service, a request, the members of a response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

import attrs

from modelarts._wire.v1 import limits
from modelarts.local.api import checks
from modelarts.local.api.errors import bad_value
from modelarts.local.api.long_poll import LongPoll
from modelarts.local.catalog import Catalog
from modelarts.local.environment_plan import Planner
from modelarts.local.paths import LocalHome
from modelarts.local.scheduler import Scheduler
from modelarts.local.store import Store
from modelarts.local.store.records import Page
from modelarts.local.tensorboard import TensorBoards

ResponseBody = dict[str, Any]
JOB_FILTERS = ("status", "workspace_id")  # that lists of jobs have and lists of configurations do not


@attrs.frozen
class Service:
    """The parts of the running service."""

    store: Store
    scheduler: Scheduler
    tensorboards: TensorBoards
    catalog: Catalog
    home: LocalHome
    planner: Planner = attrs.field(factory=Planner)


@attrs.frozen
class Call:
    """One request, decoded: path members, query, body, and how long its reply may be held back."""

    service: Service
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    long_poll: LongPoll = attrs.field(factory=LongPoll)

    @property
    def store(self) -> Store:
        return self.service.store

    def identifier(self, member: str) -> int:
        """A number of the path."""
        return checks.integer(self.path[member], member)

    def number(self, member: str, default: int, minimum: int, maximum: int = 2**63 - 1) -> int:
        """A whole number of the query."""
        return checks.integer(self.query.get(member, default), member, minimum, maximum)

    def choice(self, member: str, default: str, allowed: tuple[str, ...]) -> str:
        """One of the allowed values of a member of the query."""
        value = self.query.get(member) or default
        if value not in allowed:
            raise bad_value(f"{member} must be one of {', '.join(allowed)}, got {checks.shown(value)}")
        return value

    def page(self, sorts: tuple[str, ...], sort: str, order: str, filters: tuple[str, ...] = ()) -> Page:
        """The query of a list, checked.

        Args:
            sorts: the documented sort fields.
            sort: the field to sort by when the query has none.
            order: the order when the query has none, `asc` or `desc`.
            filters: which of `JOB_FILTERS` the list has; members of the query that it does not have are ignored.
        """
        search = self.query.get("search_content", "")
        if len(search) > limits.SEARCH_LENGTH:
            raise bad_value(f"search_content must have 0 to {limits.SEARCH_LENGTH} characters, got {len(search)}")
        per_page = self.number("per_page", 10, 1, 1000)
        return Page(
            sort=self.choice("sortBy", self.choice("sort_by", sort, sorts), sorts),
            descending=self.choice("order", order, ("asc", "desc")) == "desc",
            limit=per_page,
            offset=(self.number("page", 1, 1, limits.PAGES) - 1) * per_page,
            search=search,
            statuses=tuple(checks.statuses(self.query.get("status", ""))) if "status" in filters else (),
            workspace_id=self.query.get("workspace_id") if "workspace_id" in filters else None,
        )


Handler = Callable[[Call], ResponseBody]
