"""What a creating call has made whose answer is lost: how it is found again, and told from what is not its own."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, Callable, Optional

import attrs

from modelarts._api import pages
from modelarts._api.pages import PagedList
from modelarts._submit.v1.payload import CREATE_CONFIG, CREATE_JOB, CREATE_VERSION
from modelarts._transport.response import Response, bad_member, rows_of
from modelarts._wire.http_dates import parse_http_date
from modelarts.errors import ApiError, NotFound
from modelarts.session import Session

CREATE_VISUALIZATION = "create_visualization_job"
MARGIN = 2.0  # seconds that clocks and rounding may be off beyond what the service's own clock tells
ABSURD = 366 * 86400.0  # seconds by which no clock is off
NO_CONFIG = "ModelArts.0105"  # the documents' samples answer so, and without HTTP 404


@attrs.frozen
class Verdict:
    """What came of a call: what it made, or what to tell; `nothing_there` where nothing like it was found."""

    made: Optional[Response] = None
    told: str = ""
    nothing_there: bool = False


@attrs.frozen
class Kind:
    """A creating call.

    Args:
        what: what it makes, for messages.
        look_up: finds what there is afterwards.
        number: the member that is its number; empty for what has none.
        named: the member of the body that is the name; empty for what the service names.
        longest: characters of a name.
        runs: whether it makes a version, too.
    """

    what: str
    look_up: Callable[[Session, Call], list[Response]]
    number: str = ""
    named: str = ""
    longest: int = 64
    runs: bool = False


@attrs.frozen
class Call:
    """One creating call; `generated` says that we made the name."""

    kind: Kind
    body: dict[str, Any]
    path: Mapping[str, Any]
    generated: bool

    @property
    def what(self) -> str:
        return self.kind.what.format(**{**self.body, **self.body.get("config", {})})

    def checked(self, answer: Response) -> Response:
        """The answer; of a job that is to run, it must name the version. Raises `OutcomeUnknown`."""
        runs = self.body.get("config", {}).get("create_version") is not False
        if runs and self.kind.runs and answer.get("version_id") is None:
            raise bad_member(answer, "version_id", None)
        return answer

    def verdict(self, found: list[Response], begun: float) -> Verdict:
        """Which of what was found the call has made that began then."""
        if not found:
            return self._nothing
        return self._by_name(found[0], begun) if self.kind.named else self._by_age(found, begun)

    @property
    def _nothing(self) -> Verdict:
        again = "call again"
        if self.generated:  # with another name a call could make a second one
            name = self.body[self.kind.named]
            again += f" with {self.kind.named}={name!r}, which is refused if it is there after all"
        told = f"No {self.what} was found afterwards: nothing was made as far as can be seen; {again}"
        return Verdict(told=told, nothing_there=True)

    def _by_name(self, found: Response, begun: float) -> Verdict:
        """A name is there once: what has it was made by this call, unless it is older."""
        older = _is_older(found, begun)
        if older is False and not self._is_anothers(found):
            return Verdict(made=found)
        number = f" ({self.kind.number} {found.get(self.kind.number)})" if self.kind.number else ""
        if older is False:
            return Verdict(told=f"There is a {self.what}{number} with other parameters, perhaps of another process: "
                                "look at it, and call again with another name")  # fmt: skip
        if older:
            return Verdict(told=f"There is a {self.what}{number} that seems to be from before this call: look at it, "
                                "and call again with another name if it is not what you wanted")  # fmt: skip
        return Verdict(told=f"There is a {self.what}{number}, but when it was made cannot be seen: look at it before "
                            "you call again")  # fmt: skip

    def _is_anothers(self, found: Response) -> bool:
        """Whether a name that we made was made by somebody else too, in the same second, for something else."""
        return "parameter" in found and _parameters(found) != _parameters(self.body.get("config", self.body))

    def _by_age(self, found: list[Response], begun: float) -> Verdict:
        """A version has no name of ours: it must be the only new one of its origin, and have the same parameters."""
        config = self.body["config"]
        origin = config.get("pre_version_id")
        new = [row for row in found
               if row.get("pre_version_id", origin) == origin and not _is_older(row, begun)]  # fmt: skip
        if not new:
            return self._nothing
        certain = "pre_version_id" in new[0] and _is_older(new[0], begun) is False
        if len(new) == 1 and certain and _parameters(new[0]) == _parameters(config):
            return Verdict(made=new[0])
        names = ", ".join(f"{row.get('version_name')} (version_id {row.get('version_id')})" for row in new)
        return Verdict(told=f"There may be a {self.what} now: look at {names} before you call again")


def _parameters(members: Mapping[str, Any]) -> list[tuple[str, str]] | None:
    rows = members.get("parameter") or []
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        return None
    return sorted((str(row.get("label")), str(row.get("value"))) for row in rows)


def _is_older(found: Response, begun: float) -> bool | None:
    """Whether it was made before a call began, by the service's clock; `None` where that cannot be seen."""
    made = found.get("create_time")
    now = parse_http_date(found.sent[1].get("Date", ""))
    ahead = math.inf if now is None else now - time.time()
    if not isinstance(made, int) or abs(ahead) > ABSURD:
        return None
    return bool(made < (begun + ahead - MARGIN) * 1000)


# --- looking


def _job(session: Session, call: Call) -> list[Response]:
    """The job of that name; where we made the name, with the parameters that it has."""
    found = _named(session, call, pages.JOBS)
    if call.generated and found and {"job_id", "version_id"} <= found[0].keys():
        version = {name: found[0][name] for name in ("job_id", "version_id")}
        info = session.client.call("get_training_job_version", version, raise_on_error=True)
        found[0]["parameter"] = info.get("parameter") or []
    return found


def _visualization(session: Session, call: Call) -> list[Response]:
    return _named(session, call, pages.VISUALIZATIONS)


def _named(session: Session, call: Call, listed: PagedList) -> list[Response]:
    name = call.body["job_name"]
    query = {"search_content": name, "per_page": listed.most, "workspace_id": call.body.get("workspace_id")}
    reply = pages.read_all(session.client, listed, query, raise_on_error=True)
    return [row for row in _rows(reply, "jobs") if row.get("job_name") == name]


def _config(session: Session, call: Call) -> list[Response]:
    path = {"config_name": call.body["config_name"]}
    try:
        return [session.client.call("get_training_job_config", path, raise_on_error=True)]
    except ApiError as refused:
        if isinstance(refused, NotFound) or refused.code == NO_CONFIG:
            return []
        raise


def _version(session: Session, call: Call) -> list[Response]:
    query = {"page": 0}  # all versions, without pages (modelarts_03_0049)
    reply = session.client.call("list_training_job_versions", call.path, query=query, raise_on_error=True)
    rows = _rows(reply, "versions")
    for row in rows:
        row.update({name: reply.get(name) for name in ("job_id", "job_name") if name not in row})
    return rows


def _rows(reply: Response, name: str) -> list[Response]:
    """The rows of a list, each as an answer of its own. Raises `BadReply` where the list is missing."""
    if name not in reply:
        raise bad_member(reply, name, None)
    found = [Response(row, is_success=True) for row in rows_of(reply, name)]
    for row in found:
        row.sent = reply.sent
    return found


KINDS = {
    CREATE_JOB: Kind("job_name {job_name!r}", _job, "job_id", "job_name", runs=True),
    CREATE_CONFIG: Kind("config_name {config_name!r}", _config, "", "config_name"),
    CREATE_VERSION: Kind("version derived from {pre_version_id}", _version, "version_id"),
    CREATE_VISUALIZATION: Kind("visualization job {job_name!r}", _visualization, "job_id", "job_name", 20),
}
