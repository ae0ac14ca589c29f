"""Creating calls, made exactly once: what a lost answer has made is looked up."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Callable

import attrs

from modelarts._payload import CREATE_CONFIG, CREATE_JOB, CREATE_VERSION
from modelarts._reply import Response
from modelarts.errors import ApiError, ModelArtsError, NameTaken, NotFound, OutcomeUnknown
from modelarts.session import Session

CREATE_VISUALIZATION = "create_visualization_job"
MARGIN = 2.0  # seconds that clocks and rounding may be off beyond what the service's own clock tells
ALL = 1000  # rows of the longest page
NO_CONFIG = "ModelArts.0105"  # the documents' samples answer so, and without HTTP 404


def create(
    session: Session,
    operation: str,
    body: dict[str, Any],
    path: Mapping[str, Any] | None = None,
    generated: bool = False,
) -> Response:
    """Send a creating call.

    Args:
        operation: `create_training_job`, `…_version`, `…_config` or `create_visualization_job`.
        path: the members of the path but the project.
        generated: whether we made the name in the body; one that is taken then gets something random behind it.

    Raises:
        OutcomeUnknown: no answer came, and looking for what was made did not settle it.
    """
    kind = _KINDS[operation]
    try:
        return _sent(session, operation, body, path or {})
    except NameTaken:
        if not generated:
            raise
        body[kind.named] = f"{body[kind.named][: kind.longest - 5]}-{secrets.token_hex(2)}"
        return _sent(session, operation, body, path or {})


def _sent(session: Session, operation: str, body: dict[str, Any], path: Mapping[str, Any]) -> Response:
    begun = time.time()
    try:
        return session.client.call(operation, path, body=body, must=True)
    except OutcomeUnknown as unknown:
        kind = _KINDS[operation]
        what = kind.what.format(**{**body, **body.get("config", {})})
        try:
            found = kind.look_up(session, body, path)
        except ModelArtsError as error:
            told = f"Looking up {what} failed too ({error}): look whether it is there before you call again"
        else:
            made = kind.made(found, body, begun)
            if isinstance(made, Response):
                return made
            told = made.format(what)
        raise OutcomeUnknown(f"{unknown} {told}.", unknown.method, unknown.url) from unknown


# --- what was made, of all that is found afterwards: one row, or what to tell


def _by_name(found: list[Response], body: Mapping[str, Any], begun: float) -> Response | str:
    """A name is there once: what has it was made by this call, unless it is older."""
    if not found:
        return "No {} was found afterwards: nothing was made as far as can be seen; call again"
    if _is_older(found[0], begun):
        return "There is a {} from before this call, so that name is taken; call again with another"
    return found[0]


def _by_age(found: list[Response], body: Mapping[str, Any], begun: float) -> Response | str:
    """A version has no name of ours: it must be the only new one of its origin, and have the same parameters."""
    origin, wanted = body["config"].get("pre_version_id"), _parameters(body["config"])
    new = [row for row in found if row.get("pre_version_id") == origin and not _is_older(row, begun)]
    if not new:
        return "No {} was found afterwards: nothing was made as far as can be seen; call again"
    if len(new) == 1 and _is_dated(new[0]) and _parameters(new[0]) == wanted:
        return new[0]
    names = ", ".join(f"{row.get('version_name')} (version_id {row.get('version_id')})" for row in new)
    return f"There may be a {{}} now: look at {names} before you call again"


def _parameters(members: Mapping[str, Any]) -> list[tuple[str, str]]:
    return sorted((str(row.get("label")), str(row.get("value"))) for row in members.get("parameter") or ())


def _is_dated(found: Response) -> bool:
    return isinstance(found.get("create_time"), int) and bool(_date(found))


def _is_older(found: Response, begun: float) -> bool:
    """Whether it was made before the call began, by the service's clock."""
    if not _is_dated(found):
        return False
    ahead = _date(found) - time.time()
    return bool(found["create_time"] / 1000 < begun + ahead - MARGIN)


def _date(found: Response) -> float:
    """The service's clock when it answered; 0 where it does not tell."""
    try:
        return parsedate_to_datetime(found.sent[1].get("Date", "")).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):  # by version of Python
        return 0.0


# --- looking


def _job(session: Session, body: Mapping[str, Any], path: Mapping[str, Any]) -> list[Response]:
    return _named(session, "list_training_jobs", body["job_name"])


def _visualization(session: Session, body: Mapping[str, Any], path: Mapping[str, Any]) -> list[Response]:
    return _named(session, "list_visualization_jobs", body["job_name"])


def _named(session: Session, operation: str, name: str) -> list[Response]:
    reply = session.client.call(operation, query={"search_content": name, "per_page": ALL}, must=True)
    return [row for row in _rows(reply, reply.get("jobs")) if row.get("job_name") == name]


def _config(session: Session, body: Mapping[str, Any], path: Mapping[str, Any]) -> list[Response]:
    try:
        return [session.client.call("get_training_job_config", {"config_name": body["config_name"]}, must=True)]
    except ApiError as refused:
        if isinstance(refused, NotFound) or refused.code == NO_CONFIG:
            return []
        raise


def _version(session: Session, body: Mapping[str, Any], path: Mapping[str, Any]) -> list[Response]:
    reply = session.client.call("list_training_job_versions", path, query={"page": 1, "per_page": ALL}, must=True)
    job = {name: reply.get(name) for name in ("job_id", "job_name")}
    return _rows(reply, [{**job, **row} for row in reply.get("versions") or ()])


def _rows(reply: Response, rows: Any) -> list[Response]:
    """The rows of a list, each as an answer of its own."""
    found = [Response(row, is_success=True) for row in rows or ()]
    for row in found:
        row.sent = reply.sent
    return found


@attrs.frozen
class _Kind:
    """A creating call.

    Args:
        what: what it makes, for messages.
        look_up: finds what there is afterwards.
        made: which of that the call has made.
        named: the member of the body that is the name.
        longest: characters of a name.
    """

    what: str
    look_up: Callable[[Session, Mapping[str, Any], Mapping[str, Any]], list[Response]]
    made: Callable[[list[Response], Mapping[str, Any], float], Any] = _by_name
    named: str = ""
    longest: int = 64


_KINDS = {
    CREATE_JOB: _Kind("job_name {job_name!r}", _job, named="job_name"),
    CREATE_CONFIG: _Kind("config_name {config_name!r}", _config, named="config_name"),
    CREATE_VERSION: _Kind("version derived from {pre_version_id}", _version, _by_age),
    CREATE_VISUALIZATION: _Kind("visualization job {job_name!r}", _visualization, named="job_name", longest=20),
}
