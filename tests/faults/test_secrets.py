"""Secrets reach no repr, log line, exception or traceback, whatever goes wrong."""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import Iterator

import pytest
from support.raw_server import RESET, RawServer

from modelarts import errors
from modelarts.session import Session

SECRETS = ("the-secret-key", "the-security-token", "the-password", "the-token")
REFUSED = b'{"is_success": false, "error_code": "ModelArts.0206", "error_message": "AK/SK invalid"}'


def answer(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


FAULTS = {
    "reset": RESET,
    "refused": answer("403 Forbidden", REFUSED),
    "html": answer("500 Internal Server Error", b"<html>"),
    "broken": answer("200 OK", b"{"),
}


@pytest.fixture
def everything_said() -> Iterator[io.StringIO]:
    """All that is logged, at every level and by every library."""
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(1)
    yield said
    root.setLevel(before)
    root.removeHandler(handler)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_failure_tells_a_secret(monkeypatch, everything_said, fault, method):
    monkeypatch.setattr(Session, "_endpoints", {})
    operation = {"GET": "list_job_engines", "POST": "create_training_job"}[method]
    asked = {"GET": "GET /job/ai-engines", "POST": "POST /training-jobs"}[method]
    told = io.StringIO()
    with RawServer({asked: [FAULTS[fault]]}) as server:
        Session.set_endpoint("iam", "obs", server.url, region_name="here")
        session = Session("AK", SECRETS[0], "p" * 32, "here", security_token=SECRETS[1])
        with session, session.deadline(0.5):
            try:
                session.client.call(operation, body={} if method == "POST" else None, must=True)
            except errors.ModelArtsError as error:
                seen: BaseException | None = error
                traceback.print_exc(file=told)
                while seen is not None:
                    told.write(repr(seen) + repr(vars(seen)))
                    seen = seen.__cause__ or seen.__context__
            told.write(repr(session) + repr(session.client.endpoint) + repr(session.client.endpoint.auth))
            told.write(repr(session.client.endpoint.auth.keys()))

    assert told.getvalue()
    for secret in SECRETS:
        assert secret not in told.getvalue() + everything_said.getvalue()
