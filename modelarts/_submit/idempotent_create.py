"""Creating calls, made exactly once: what a lost answer has made is looked up."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

from modelarts._submit.recovery import KINDS, Call, Verdict
from modelarts._transport.response import Response
from modelarts.errors import ApiError, ModelArtsError, NameTaken, OutcomeUnknown
from modelarts.session import Session

logger = logging.getLogger("modelarts")

LOOK_AGAIN = (1.0, 2.0)  # seconds: a list may show late what was made
REQUEST_TIMEOUT, SERVER_FAILED = 408, 500
GATEWAY_TIMEOUTS = (REQUEST_TIMEOUT, 502, 504)  # of who passes requests on: the service may still be at it


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
        ApiError: the service refused, and nothing was made as far as can be seen.
    """
    kind = KINDS[operation]
    try:
        return _sent(session, operation, Call(kind, body, path or {}, generated))
    except NameTaken:
        if not generated:
            raise
        body[kind.named] = _another(body[kind.named], kind.longest)
        return _sent(session, operation, Call(kind, body, path or {}, generated))


def _another(name: str, longest: int) -> str:
    """A name with something random behind it: as much as there is room for, for many may be made in one second."""
    room = min(max(longest - len(name) - 1, 4), 8)
    return f"{name[: longest - room - 1]}-{secrets.token_hex(4)[:room]}"


def _sent(session: Session, operation: str, call: Call) -> Response:
    begun = time.time()
    try:
        try:
            return call.checked(session.client.call(operation, call.path, body=call.body, raise_on_error=True))
        except OutcomeUnknown as unknown:
            verdict = _looked_for(session, call, begun, LOOK_AGAIN)
            failure: ModelArtsError = unknown
        except ApiError as refused:
            # Perhaps the service has made it, and only who was to pass the answer on has given up.
            if refused.status < SERVER_FAILED and refused.status != REQUEST_TIMEOUT:
                raise
            if not refused.url.startswith(session.host):
                raise  # it was the login that failed: nothing was sent
            verdict = _looked_for(session, call, begun, LOOK_AGAIN)
            if verdict.nothing_there and refused.status not in GATEWAY_TIMEOUTS:
                raise
            failure = refused
    except KeyboardInterrupt:
        logger.warning("interrupted while %s was being made: look whether it is there", call.what)
        raise
    if verdict.made is not None:
        return verdict.made
    method, url = getattr(failure, "method", ""), getattr(failure, "url", "")
    raise OutcomeUnknown(f"{failure} {verdict.told}.", method, url) from failure


def _looked_for(session: Session, call: Call, begun: float, pauses: Sequence[float] = ()) -> Verdict:
    """What the call has made although it failed. All looking together has as much time as one call."""
    verdict = Verdict()
    transport = session.client.transport
    with transport.call(session.client.sending):
        for pause in (0.0, *pauses):
            if pause >= transport.left:
                break
            time.sleep(pause)
            try:
                verdict = call.verdict(call.kind.look_up(session, call), begun)
            except ModelArtsError as error:
                return Verdict(told=f"Looking up {call.what} failed too ({error}): look whether it is there before you "
                                    "call again")  # fmt: skip
            if not verdict.nothing_there:
                break
    return verdict
