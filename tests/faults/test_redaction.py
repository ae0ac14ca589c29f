"""Secrets reach no repr, log line, exception or traceback, whatever goes wrong and however loud the logs are."""

from __future__ import annotations

import base64
import html
import io
import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from typing import Any, Callable
from urllib.parse import quote

import pytest

from modelarts.errors import ApiError, ModelArtsError
from modelarts.session import Session
from tests.faults.calls import ASKED, CALLS, GET, POST
from tests.faults.rows import FAULTS, GOOD, Fault, answer
from tests.support.cloud import PROJECT
from tests.support.raw_server import RawServer, reply

KEY, TOKEN, PASSWORD, ISSUED, PROXY = (
    "the-secret-key", "the+security/token==", 'the-"password"', "the-issued-token", "the-proxy-password",
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
            told.write(repr(session.client.call(operation, **arguments, raise_on_error=True))[:1000])
        except ModelArtsError as error:
            tell(told, error)
        told.write(f"{session!r}{session.client.endpoint!r}{session.client.endpoint.auth!r}{session.client.transport!r}")
        told.write(repr(session.client.transport.options))


def assert_silent(said: io.StringIO) -> None:
    text = said.getvalue()
    assert text
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize(("login", "method"), [("keys", POST), ("password", GET)])
def test_no_failure_shows_a_secret(said: io.StringIO, fault: Fault, method: str, login: str):
    with RawServer({ASKED[method]: list(fault.script), LOG_IN: [ISSUE]}) as server:
        drive(session_at(server.url, login), method, fault.seconds, said)

    assert_silent(said)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_no_failed_login_shows_a_secret(said: io.StringIO, fault: Fault):
    with RawServer({LOG_IN: list(fault.script), ASKED[GET]: [GOOD]}) as server:
        drive(session_at(server.url, "password"), GET, fault.seconds, said)

    assert_silent(said)


class Echo(RawServer):
    """Answers with all that it was asked, as some proxies do in their error pages."""

    status, kind = "502 Bad Gateway", "html"

    def next_action(self, call: str) -> Any:
        super().next_action(call)
        return self.echo

    def echo(self, connection: Any, _: Any) -> None:
        text = self.received[-1]
        body = text if self.kind == "html" else reply({"error_code": "X.1", "error_msg": text.decode()}).partition(
            b"\r\n\r\n"
        )[2]
        connection.sendall(answer(self.status, body))


@pytest.mark.parametrize("kind", ["html", "json"])
@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "401 Unauthorized", "502 Bad Gateway"])
@pytest.mark.parametrize("method", [GET, POST])
@pytest.mark.parametrize("login", LOGINS)
def test_secrets_quoted_by_a_service_are_masked(said: io.StringIO, kind: str, status: str, method: str, login: str):
    with Echo({ASKED[method]: [GOOD], LOG_IN: [GOOD]}) as server:
        server.status, server.kind = status, kind
        drive(session_at(server.url, login), method, 2.0, said)

    assert_silent(said)
    assert "AK" in said.getvalue() or login == "password"


def escaped(text: str) -> str:
    """JSON as some libraries write it, for pages that show it."""
    return "".join(letter if letter.isalnum() else f"\\u{ord(letter):04X}" for letter in text)


SPELLED: dict[str, Callable[[str], str]] = {
    "escaped": escaped,
    "with escaped slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "as HTML does": lambda text: html.escape(text).replace("+", "&#43;").replace("=", "&#x3D;"),
    "as a URL does": lambda text: quote(text, safe=""),
}


@pytest.mark.parametrize("frame", ['{"error_code": "X.1", "error_msg": "bad token %s"}', "<html>bad token %s</html>"])
@pytest.mark.parametrize("status", ["401 Unauthorized", "502 Bad Gateway"])
@pytest.mark.parametrize("spelled", SPELLED)
def test_a_secret_is_masked_in_every_escaped_form(said: io.StringIO, spelled: str, status: str, frame: str):
    text = SPELLED[spelled](TOKEN)
    with RawServer({ASKED[GET]: [answer(status, (frame % text).encode())]}) as server:
        drive(session_at(server.url, "keys"), GET, 2.0, said)

    assert_silent(said)
    assert text not in said.getvalue()
    assert "bad token ****" in said.getvalue()


@pytest.mark.parametrize(
    "told",
    [
        answer("400 Bad Request", json.dumps({"error_msg": TOKEN}).encode("utf-16")),
        answer("400 Bad Request", b'{"error_msg": "no"}', f"X-Request-Id: {TOKEN}"),
        answer("502 Bad Gateway", b"<html>", f"X-Request-Id: {TOKEN}"),
        answer("400 Bad Request", json.dumps({"error_msg": "no", "asked": [{"token": TOKEN}]}).encode()),
        f"X-Security-Token: {TOKEN}\r\n\r\n".encode(),
    ],
    ids=["UTF-16", "a request id", "a request id of a page", "another member", "no status line"],
)
def test_a_secret_is_masked_wherever_it_is_quoted(said: io.StringIO, told: bytes):
    with RawServer({ASKED[GET]: [told]}) as server:
        drive(session_at(server.url, "keys"), GET, 1.0, said)

    assert_silent(said)
    assert "****" in said.getvalue()


def test_a_login_quoted_by_a_proxy_is_masked(said: io.StringIO, monkeypatch: pytest.MonkeyPatch):
    class Proxy(Echo):
        def echo(self, connection: Any, _: Any) -> None:
            (login,) = (line for line in self.received[-1].splitlines() if line.startswith(b"Proxy-Authorization"))
            connection.sendall(answer(self.status, login))

    with Proxy({ASKED[GET]: [GOOD]}) as proxy:
        monkeypatch.setenv("MODELARTS_PROXY", proxy.url.replace("//", f"//me:{PROXY}@"))
        drive(session_at("http://modelarts.example.com", "keys"), GET, 2.0, said)

    assert_silent(said)
    assert base64.b64encode(f"me:{PROXY}".encode()).decode() not in said.getvalue()
    assert "Proxy-Authorization: Basic ****" in said.getvalue()


def test_the_password_of_a_proxy_is_not_shown(said: io.StringIO, monkeypatch: pytest.MonkeyPatch):
    for proxy in ("http://me:{}@127.0.0.1:9", "http://me:{}@no-such-proxy.invalid", "http://me:{}@127.0.0.1:99999"):
        for variable in ("MODELARTS_PROXY", "HTTP_PROXY"):
            monkeypatch.setenv(variable, proxy.format(PROXY))
            try:
                drive(session_at("http://modelarts.example.com", "keys"), GET, 1.0, said)
            except ModelArtsError as error:
                tell(said, error)
            monkeypatch.delenv(variable)

    assert_silent(said)


def test_a_pickled_error_has_no_secrets(said: io.StringIO):
    refusal = answer("401 Unauthorized", b'{"error_code": "X.1", "error_msg": "no"}')
    with (
        RawServer({ASKED[GET]: [refusal]}) as server,
        session_at(server.url, "keys") as session,
        pytest.raises(ApiError) as caught,
    ):
        session.client.call(CALLS[GET][0], **CALLS[GET][1])

    said.write(pickle.dumps(caught.value).decode("latin-1"))
    assert_silent(said)
