"""One call of each method to a faulty service."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import attrs

from modelarts.errors import ModelArtsError
from modelarts.session import Session
from tests.support.cloud import PROJECT, cloud_session
from tests.support.raw_server import Action, RawServer

GET, PUT, DELETE, POST = "GET", "PUT", "DELETE", "POST"
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    GET: ("get_training_job_version", {"path": {"job_id": 1, "version_id": 2}}),
    PUT: ("update_training_job_description", {"path": {"job_id": 1}, "body": {"job_desc": "d"}}),
    DELETE: ("delete_training_job", {"path": {"job_id": 1}}),
    POST: ("create_training_job_version", {"path": {"job_id": 1}, "body": {"config": {}}}),
}
ASKED = {
    GET: "GET /training-jobs/1/versions/2", PUT: "PUT /training-jobs/1", DELETE: "DELETE /training-jobs/1",
    POST: "POST /training-jobs/1/versions",
}  # fmt: skip
PATH = f"/v1/{PROJECT}{ASKED[GET].split()[1]}"


@attrs.frozen
class CallOutcome:
    """The outcome of a call: its result or the error it raised, the number of requests, and seconds."""

    result: Any
    attempts: int
    seconds: float


def at(url: str, **login: Any) -> Session:
    """A session whose service is at an address."""
    Session.set_endpoint("iam", "obs", url, region_name="here")
    return cloud_session(region_name="here", **login)


def made(session: Session, method: str, seconds: float) -> Any:
    """The result of a call, or its error."""
    operation, arguments = CALLS[method]
    with session.deadline(seconds):
        try:
            return session.client.call(operation, **arguments)
        except ModelArtsError as error:
            return error


def ask(method: str, script: Sequence[Action], seconds: float = 5.0, **login: Any) -> CallOutcome:
    """Make a call to a service that follows a script."""
    with RawServer({ASKED[method]: list(script)}) as server, at(server.url, **login) as session:
        begun = time.monotonic()
        result = made(session, method, seconds)
        return CallOutcome(result, len(server.calls), time.monotonic() - begun)
