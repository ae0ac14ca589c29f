"""The way to the service: names, proxies and certificates, on real sockets. What fails before anything is sent says so.

Creating calls are no exception: nothing was made, and nothing is unknown.
"""

from __future__ import annotations

import re
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from modelarts.cli.main import cli
from modelarts.errors import BadReply, ConfigError, ConnectionFailed, OutcomeUnknown
from tests.faults.calls import ASKED, CALLS, GET, POST, at, made
from tests.faults.rows import GOOD, answer, drip
from tests.support.certificates import make_certificate
from tests.support.raw_server import RawServer

EVERYTHING = {call: [GOOD] for call in ASKED.values()}
LATE = 0.5  # seconds that a busy machine may add


def failed(url: str, method: str, seconds: float = 5.0) -> ConnectionFailed:
    """The failure of a call that nobody was asked for; it came in time."""
    begun = time.monotonic()
    with at(url) as session:
        error = made(session, method, seconds)

    assert time.monotonic() - begun < seconds + LATE
    assert type(error) is ConnectionFailed
    return error


# --- addresses


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize(("url", "words"), [
    ("http://no-such-host.invalid", "cannot connect to that address"),
    (f"http://{'a' * 70}.example.com", "cannot connect to that address"),
    ("http://127.0.0.1:9", "Connection refused"),
])  # fmt: skip
def test_an_unreachable_address_is_reported(method: str, url: str, words: str):
    error = failed(url, method)

    assert words in str(error)
    assert "Check the network and the endpoint" in str(error)


@pytest.mark.parametrize("method", [GET, POST])
def test_unresponsive_addresses_share_the_time_of_the_call(monkeypatch: pytest.MonkeyPatch, method: str):
    """Of a network that drops packets: the addresses are ones that lead nowhere (RFC 5737)."""
    dead = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"192.0.2.{number}", 80)) for number in range(1, 6)]
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: dead if host == "dead" else real(host, *rest, **more)
    )

    assert "nothing was sent" in str(failed("http://dead", method, 1.0))


# --- proxies


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_unreachable_proxy_is_reported(
    monkeypatch: pytest.MonkeyPatch, closed_port: int, method: str, scheme: str
):
    monkeypatch.setenv("MODELARTS_PROXY", f"http://user:the-proxy-password@127.0.0.1:{closed_port}")

    error = failed(f"{scheme}://modelarts.example.com", method)

    assert "nothing was sent. Check the network, and proxies and certificates" in str(error)
    assert "the-proxy-password" not in str(error)


@pytest.mark.parametrize("method", CALLS)
def test_a_proxy_that_refuses_a_tunnel_is_reported(monkeypatch: pytest.MonkeyPatch, method: str):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setenv("MODELARTS_PROXY", f"127.0.0.1:{listening.getsockname()[1]}")
        threading.Thread(target=refuse_tunnels, args=(listening,), daemon=True).start()

        error = failed("https://modelarts.example.com", method)

    assert "nothing was sent" in str(error) and "403" in str(error)


def refuse_tunnels(listening: socket.socket) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("method", [GET, POST])
def test_a_proxy_that_requires_a_login_for_a_tunnel_is_tried_once(monkeypatch: pytest.MonkeyPatch, method: str):
    """Asked again and again with a wrong password, it might lock the account."""
    asked: list[bytes] = []

    def refuse() -> None:
        with suppress(OSError):  # it is closed
            while True:
                connection, _ = listening.accept()
                with connection:
                    asked.append(connection.recv(65536))
                    connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setenv("MODELARTS_PROXY", f"http://me:wrong@127.0.0.1:{listening.getsockname()[1]}")
        threading.Thread(target=refuse, daemon=True).start()
        error = failed("https://modelarts.example.com", method)

    assert "the proxy requires a login, or another one (407 Proxy Authentication Required)" in str(error)
    assert "nothing was sent" in str(error)
    assert len(asked) == 1


@pytest.mark.parametrize("method", [GET, POST])
def test_a_slowly_dripping_proxy_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch, method: str):
    with RawServer({ASKED[method]: [drip(b"")]}) as proxy:
        monkeypatch.setenv("MODELARTS_PROXY", proxy.url)
        begun = time.monotonic()
        with at("http://modelarts.example.com") as session:
            error = made(session, method, 1.0)

    assert type(error) is (OutcomeUnknown if method == POST else ConnectionFailed)
    assert time.monotonic() - begun < 1.0 + LATE


def test_a_slowly_dripping_tunnel_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch):
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setenv("MODELARTS_PROXY", f"127.0.0.1:{listening.getsockname()[1]}")
        threading.Thread(target=drip_tunnels, args=(listening, over), daemon=True).start()

        assert "nothing was sent" in str(failed("https://modelarts.example.com", POST, 1.0))
        over.set()


def drip_tunnels(listening: socket.socket, over: threading.Event) -> None:
    try:
        with listening.accept()[0] as connection:
            drip(b"HTTP/1.1 200 OK\r\n")(connection, over)
    except OSError:
        return


@pytest.mark.parametrize("method", CALLS)
def test_a_proxy_that_requires_a_login_is_reported(monkeypatch: pytest.MonkeyPatch, method: str):
    with RawServer({ASKED[method]: [answer("407 Proxy Authentication Required", b"<html>log in")]}) as proxy:
        monkeypatch.setenv("MODELARTS_PROXY", proxy.url)
        with at("http://modelarts.example.com") as session:
            error = made(session, method, 5)

    assert type(error) is BadReply
    assert "answered HTTP 407 with a body that is not a ModelArts reply: '<html>log in'" in str(error)
    assert "Check the endpoint, and proxies in between" in str(error)


def test_the_proxy_setting_takes_precedence_over_the_environment(monkeypatch: pytest.MonkeyPatch):
    with RawServer(EVERYTHING) as proxy, RawServer(EVERYTHING) as service:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("MODELARTS_PROXY", proxy.url)
        with at(service.url) as session:
            assert made(session, GET, 5).is_success
        monkeypatch.setenv("MODELARTS_PROXY", "none")
        with at(service.url) as session:
            assert made(session, GET, 5).is_success

    assert (len(proxy.calls), len(service.calls)) == (1, 1)


# Proxies of the environment that can be none; the password is SECRET with something in it.
NO_PROXIES = [
    "http://me:SECRET@", "http://:@:", "http://me:SEC[RET@127.0.0.1:1", "http://me:SEC/RET@127.0.0.1:1",
    "http://me:SEC#RET@127.0.0.1:1", "http://me:SEC\\RET@127.0.0.1:1", "http://me:SECRET", "me:SECRET@127.0.0.1:x",
    "http://me:SECRET%E5@127.0.0.1:99999", "http://me:SECRET%E5%AF%86@127.0.0.1:1", "ftp://me:SECRET@127.0.0.1:1",
]  # fmt: skip


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("proxy", NO_PROXIES)
def test_an_invalid_proxy_of_the_environment_is_reported_when_the_session_is_created(
    monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str
):
    monkeypatch.setenv(variable, proxy)
    told = rf"^proxy='.*' \(environment {variable}\): (write the URL of an HTTP proxy|its user name and password)"

    with pytest.raises(ConfigError, match=told) as caught:
        at("http://modelarts.example.com")
    monkeypatch.setenv("MODELARTS_ENDPOINT", "http://modelarts.example.com")

    shown = CliRunner().invoke(cli, ["whoami", "--no-check"]).output
    assert re.search(rf"^proxy .* environment {variable}$", shown, re.MULTILINE)
    assert [text for text in (str(caught.value), shown) if "SEC" in text or "RET" in text] == []


def test_only_proxies_that_are_used_are_checked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", NO_PROXIES[0])
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128\r")
    monkeypatch.setenv("NO_PROXY", ".test")

    assert proxy_of("http://modelarts.test") is None
    assert proxy_of("https://modelarts.example.com") == "http://127.0.0.1:3128"


def proxy_of(url: str) -> str | None:
    """The proxy on the way to a service."""
    with at(url) as session:
        return session.client.transport.options.proxy_for(url)


def test_a_socks_proxy_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:1080")

    monkeypatch.setitem(sys.modules, "socks", ModuleType("socks"))  # as with PySocks

    assert proxy_of("https://modelarts.example.com") == "socks5h://127.0.0.1:1080"


@pytest.mark.parametrize("scheme", ["socks5h", "SOCKS5", "socks4", "socks4a"])
@pytest.mark.parametrize("name", ["ALL_PROXY", "https_proxy"])
def test_a_socks_proxy_without_its_package_is_reported_at_once(
    monkeypatch: pytest.MonkeyPatch, name: str, scheme: str
):
    monkeypatch.setenv(name, f"{scheme}://user:TELLNOBODY@127.0.0.1:1080")
    monkeypatch.setitem(sys.modules, "socks", None)

    with pytest.raises(ConfigError, match=r"pip install 'requests\[socks\]'") as caught:
        at("https://modelarts.example.com")
    assert "TELLNOBODY" not in str(caught.value)
    assert f"environment {name}" in str(caught.value)


def test_the_environment_is_read_once_for_a_session(monkeypatch: pytest.MonkeyPatch):
    with RawServer(EVERYTHING) as proxy, RawServer(EVERYTHING) as service:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        with at(service.url) as session:
            monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/not/there")
            assert made(session, GET, 5).is_success

    assert (len(proxy.calls), len(service.calls)) == (1, 0)


# --- certificates


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder with certificates for 127.0.0.1, for another name, and of a client."""
    make_certificate(tmp_path / "right.pem")
    make_certificate(tmp_path / "other.pem", "other.example.com")
    make_certificate(tmp_path / "client.pem", "client")
    return tmp_path


def secured(certificate: Path, clients: Path | None = None) -> ssl.SSLContext:
    """TLS of a service; with `clients`, those must show that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if clients:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # later ones refuse a client after it has sent
    return context


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize(("shown", "trusted", "words"), [
    ("right.pem", "other.pem", "self.signed certificate"),
    ("other.pem", "other.pem", "certificate is not valid for '127.0.0.1'"),
])  # fmt: skip
def test_a_wrong_certificate_is_reported(
    monkeypatch: pytest.MonkeyPatch, certificates: Path, method: str, shown: str, trusted: str, words: str
):
    monkeypatch.setenv("MODELARTS_CA_BUNDLE", str(certificates / trusted))
    with RawServer(EVERYTHING, tls=secured(certificates / shown)) as service:
        error = failed(service.url, method)

        assert service.calls == []
    assert "nothing was sent" in str(error)
    assert re.search(words, str(error))


@pytest.mark.parametrize("method", [GET, POST])
def test_certificate_files_that_were_removed_are_reported(
    monkeypatch: pytest.MonkeyPatch, certificates: Path, method: str
):
    bundle = certificates / "right.pem"
    monkeypatch.setenv("MODELARTS_CA_BUNDLE", str(bundle))
    with at("https://127.0.0.1:9") as session:
        bundle.unlink()
        error = made(session, method, 1.0)

    assert type(error) is ConnectionFailed
    assert f"invalid path: {bundle}); nothing was sent" in str(error)


@pytest.mark.parametrize("method", [GET, POST])
def test_a_service_without_tls_is_reported(method: str):
    with RawServer(EVERYTHING) as service:
        assert "nothing was sent" in str(failed(service.url.replace("http:", "https:"), method, 1.0))


@pytest.mark.parametrize("method", [GET, POST])
def test_a_handshake_that_stalls_is_given_up_in_time(method: str):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        assert "nothing was sent" in str(failed(url, method, 1.0))


def test_certificates_are_used_as_the_settings_say(
    monkeypatch: pytest.MonkeyPatch, certificates: Path
):
    monkeypatch.setenv("MODELARTS_CA_BUNDLE", str(certificates / "right.pem"))
    tls = secured(certificates / "right.pem", certificates / "client.pem")
    with RawServer(EVERYTHING, tls=tls) as service:
        assert "nothing was sent" in str(failed(service.url, POST))  # it shows no certificate

        monkeypatch.setenv("MODELARTS_CLIENT_CERT", str(certificates / "client.pem"))
        with at(service.url) as session:
            assert made(session, POST, 5).is_success
        monkeypatch.setenv("MODELARTS_CA_BUNDLE", "")
        monkeypatch.setenv("MODELARTS_VERIFY", "0")
        with pytest.warns(Warning, match="Unverified HTTPS request"), at(service.url) as session:
            assert made(session, GET, 5).is_success


def test_a_reply_lost_over_tls_leaves_the_outcome_unknown(
    monkeypatch: pytest.MonkeyPatch, certificates: Path
):
    """What arrives in place of it is no TLS any more: the library below calls that a failure of TLS, too."""
    monkeypatch.setenv("MODELARTS_CA_BUNDLE", str(certificates / "right.pem"))

    def speak_plain(connection: ssl.SSLSocket, _: threading.Event) -> None:
        with socket.socket(fileno=connection.detach()) as plain:
            plain.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")

    with RawServer({ASKED[POST]: [speak_plain]}, tls=secured(certificates / "right.pem")) as service:
        with at(service.url) as session:
            error = made(session, POST, 5)

        assert len(service.calls) == 1
    assert type(error) is OutcomeUnknown
