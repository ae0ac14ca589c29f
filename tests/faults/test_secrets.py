"""Secrets reach no repr, log line, exception or traceback, whatever goes wrong and however loud the logs are."""

from __future__ import annotations

import io
import logging
import pickle
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from modelarts.errors import ApiError, ModelArtsError
from modelarts.session import Session
from tests.faults.calls import ASKED, CALLS, GET, POST
from tests.faults.rows import FAULTS, GOOD, Fault, answer
from tests.support.cloud import PROJECT
from tests.support.raw_server import RawServer, reply

KEY, TOKEN, PASSWORD, ISSUED, PROXY = (
    "the-secret-key", "the-security-token", 'the-"password"', "the-issued-token", "the-proxy-password",
)  # fmt: skip
SECRETS = (KEY, TOKEN, PASSWORD, 'the-\\"password\\"', "the-%22password%22", ISSUED, PROXY)
LOGINS: dict[str, dict[str, str]] = {
    "keys": {"access_key": "AK", "secret_key": KEY, "security_token": TOKEN},
    "password": {"account": "company", "username": "me", "password": PASSWORD},
}
LOG_IN = "POST /auth/tokens"
ISSUE = reply({"token": {"project": {"id": PROJECT}}}).replace(
    b"200 OK", f"201 Created\r\nX-Subject-Token: {ISSUED}".encode()
)


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """All that is logged, at every level and by every library, and what else is written there."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(1)
    yield stream
    root.setLevel(before)
    root.removeHandler(handler)


def session_at(url: str, login: str) -> Session:
    Session.set_endpoint(url, "obs.example.com", url, region_name="here")
    return Session(region_name="here", project_id=PROJECT, **LOGINS[login])  # type: ignore[arg-type]


def tell(told: io.StringIO, error: BaseException) -> None:
    """All that can be seen of an error."""
    seen: BaseException | None = error
    while seen is not None:
        told.write(f"{seen}{seen!r}{vars(seen)}")
        told.write("".join(traceback.format_exception(type(seen), seen, seen.__traceback__)))
        seen = seen.__cause__ or seen.__context__


def drive(session: Session, method: str, seconds: float, told: io.StringIO) -> None:
    """Make a call, and tell all that can be seen of it."""
    operation, arguments = CALLS[method]
    with session, session.deadline(seconds):
        try:
            told.write(repr(session.client.call(operation, **arguments, must=True))[:1000])
        except ModelArtsError as error:
            tell(told, error)
        told.write(f"{session!r}{session.client.endpoint!r}{session.client.endpoint.auth!r}{session.client.transport!r}")
        told.write(repr(session.client.transport.sending))


def assert_silent(said: io.StringIO) -> None:
    text = said.getvalue()
    assert text
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize(("login", "method"), [("keys", POST), ("password", GET)])
def test_no_failure_tells_a_secret(said: io.StringIO, fault: Fault, method: str, login: str):
    with RawServer({ASKED[method]: list(fault.script), LOG_IN: [ISSUE]}) as server:
        drive(session_at(server.url, login), method, fault.seconds, said)

    assert_silent(said)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_no_failure_of_a_login_tells_a_secret(said: io.StringIO, fault: Fault):
    with RawServer({LOG_IN: list(fault.script), ASKED[GET]: [GOOD]}) as server:
        drive(session_at(server.url, "password"), GET, fault.seconds, said)

    assert_silent(said)


class Echo(RawServer):
    """Answers with all that it was asked, as some proxies do in their error pages."""

    status, kind = "502 Bad Gateway", "html"

    def take(self, call: str) -> Any:
        super().take(call)
        return self.echo

    def echo(self, connection: Any, _: Any) -> None:
        text = self.heads[-1]
        body = text if self.kind == "html" else reply({"error_code": "X.1", "error_msg": text.decode()}).partition(
            b"\r\n\r\n"
        )[2]
        connection.sendall(answer(self.status, body))


@pytest.mark.parametrize("kind", ["html", "json"])
@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "401 Unauthorized", "502 Bad Gateway"])
@pytest.mark.parametrize("method", [GET, POST])
@pytest.mark.parametrize("login", LOGINS)
def test_what_a_service_quotes_is_masked(said: io.StringIO, kind: str, status: str, method: str, login: str):
    with Echo({ASKED[method]: [GOOD], LOG_IN: [GOOD]}) as server:
        server.status, server.kind = status, kind
        drive(session_at(server.url, login), method, 2.0, said)

    assert_silent(said)
    assert "AK" in said.getvalue() or login == "password"


def test_a_proxys_password_is_not_told(said: io.StringIO, monkeypatch: pytest.MonkeyPatch):
    for proxy in ("http://me:{}@127.0.0.1:9", "http://me:{}@no-such-proxy.invalid", "http://me:{}@127.0.0.1:99999"):
        for variable in ("MODELARTS_PROXY", "HTTP_PROXY"):
            monkeypatch.setenv(variable, proxy.format(PROXY))
            try:
                drive(session_at("http://modelarts.example.com", "keys"), GET, 1.0, said)
            except ModelArtsError as error:
                tell(said, error)
            monkeypatch.delenv(variable)

    assert_silent(said)


def test_an_error_goes_into_another_process_without_secrets(said: io.StringIO):
    refusal = answer("401 Unauthorized", b'{"error_code": "X.1", "error_msg": "no"}')
    with (
        RawServer({ASKED[GET]: [refusal]}) as server,
        session_at(server.url, "keys") as session,
        pytest.raises(ApiError) as caught,
    ):
        session.client.call(CALLS[GET][0], **CALLS[GET][1])

    said.write(pickle.dumps(caught.value).decode("latin-1"))
    assert_silent(said)
