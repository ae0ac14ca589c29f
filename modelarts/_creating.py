"""Creating calls, made exactly once: what a lost answer has made is looked up by its name."""

from __future__ import annotations

import secrets
import time
from email.utils import parsedate_to_datetime
from typing import Any

from modelarts._payload import CREATE_CONFIG
from modelarts._reply import Response
from modelarts.errors import ApiError, ModelArtsError, NameTaken, NotFound, OutcomeUnknown
from modelarts.session import Session

MARGIN = 2.0  # seconds that clocks and rounding may be off beyond what the service's own clock tells


def create(session: Session, operation: str, body: dict[str, Any], named: str, generated: bool) -> Response:
    """Send a creating call.

    Args:
        named: the member of the body that is the name.
        generated: whether we made that name; one that is taken then gets something random behind it.

    Raises:
        OutcomeUnknown: no answer came, and looking the name up did not settle it.
    """
    try:
        return _sent(session, operation, body, named)
    except NameTaken:
        if not generated:
            raise
        body[named] = f"{body[named][:57]}-{secrets.token_hex(3)}"
        return _sent(session, operation, body, named)


def _sent(session: Session, operation: str, body: dict[str, Any], named: str) -> Response:
    begun = time.time()
    try:
        return session.client.call(operation, body=body, must=True)
    except OutcomeUnknown as unknown:
        what = f"{named} {body[named]!r}"
        try:
            found = _looked_up(session, operation, body[named])
        except ModelArtsError as error:
            told = f"Looking up {what} failed too ({error}): look whether it is there before you call again"
        else:
            if found is not None and not _is_older(found, begun):
                return found
            told = f"No {what} was found afterwards: nothing was made as far as can be seen; call again"
            if found is not None:
                told = f"There is a {what} from before this call, so that name is taken; call again with another"
        raise OutcomeUnknown(f"{unknown}. {told}.", unknown.method, unknown.url) from unknown


def _looked_up(session: Session, operation: str, name: str) -> Response | None:
    """What a creating call has made, by its name; `None` when there is nothing of that name."""
    call = session.client.call
    if operation == CREATE_CONFIG:
        try:
            return call("get_training_job_config", {"config_name": name}, must=True)
        except ApiError as refused:
            if isinstance(refused, NotFound) or refused.code == "ModelArts.0105":  # as the documents' sample
                return None
            raise
    jobs = call("list_training_jobs", query={"search_content": name, "per_page": 1000}, must=True)
    row = next((row for row in jobs.get("jobs") or () if row.get("job_name") == name), None)
    if row is None:
        return None
    found = Response(row, is_success=True)
    found.sent = jobs.sent
    return found


def _is_older(found: Response, begun: float) -> bool:
    """Whether it was made before the call began, by the service's clock."""
    made = found.get("create_time")
    date = found.sent[1].get("Date")
    if not isinstance(made, int) or not date:
        return False
    ahead = parsedate_to_datetime(date).timestamp() - time.time()
    return made / 1000 < begun + ahead - MARGIN
