"""How OBS is reached: addresses, certificates, proxies, forks, and the package that talks to it."""

from __future__ import annotations

import os
import select
import socket
import socketserver
import ssl
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import SECRET_KEY, TOKEN
from fault_proxy import MARK, FaultProxy, Reply

from modelarts._auth.signing import AkSkAuth
from modelarts._obs.cloud import esdk
from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts._settings import table
from modelarts._transport.options import TransportOptions
from modelarts.errors import ConfigError, ObsError
from tests.support.certificates import make_certificate

DONE = {**MARK, "ETag": "an ETag"}


def buckets(address: str, auth: Any, home: Path, **options: Any) -> HuaweiBuckets:
    """Buckets that are reached as the environment says, and as is given."""
    ways = TransportOptions.of(table.resolve())._replace(**options)
    return HuaweiBuckets(address, auth, home, ways, "cn-north-4")


# --- addresses


@pytest.fixture
def every_name_is_here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All names lead to this machine; gives back the names that were looked up."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def here(host: str, *arguments: Any, **options: Any) -> Any:
        asked.append(host)
        return real("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    return asked


def test_the_bucket_is_part_of_the_host_name_or_else_of_the_path(
    auth: AkSkAuth, small: Path, tmp_path: Path, proxy: FaultProxy, every_name_is_here: list[str]
):
    port = proxy.url.rpartition(":")[2]
    proxy.rule = lambda request: Reply(200, headers=DONE)
    found = {}
    for host in ("obs.cn-north-4.myhuaweicloud.com", "127.0.0.1", "localhost"):
        obs = buckets(f"http://{host}:{port}", auth, tmp_path)
        obs.upload_file(small, "obs://my-bucket/")
        request = proxy.requests_of("PUT")[-1]
        found[host] = (request.headers["host"].partition(":")[0], request.target, request.headers["authorization"][:4])
        obs.close()

    assert found == {
        "obs.cn-north-4.myhuaweicloud.com": ("my-bucket.obs.cn-north-4.myhuaweicloud.com", "/small.txt", "OBS "),
        "127.0.0.1": ("127.0.0.1", "/my-bucket/small.txt", "AWS "),
        "localhost": ("localhost", "/my-bucket/small.txt", "AWS "),
    }
    assert {request.method for request in proxy.seen} == {"PUT"}


def test_another_cloud_is_asked_which_signature_it_accepts(
    auth: AkSkAuth, small: Path, tmp_path: Path, proxy: FaultProxy, every_name_is_here: list[str]
):
    port = proxy.url.rpartition(":")[2]
    obs = buckets(f"http://obs.own.example.com:{port}", auth, tmp_path)
    for api, signature in (("3.0", "OBS "), ("2.0", "AWS ")):
        proxy.rule = lambda request, api=api: Reply(200, headers={"x-obs-api": api, **DONE})

        obs.upload_file(small, "obs://my-bucket/")

        assert proxy.requests_of("PUT")[-1].headers["authorization"][:4] == signature
        obs.close()


# --- certificates


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A folder with a certificate for 127.0.0.1, and one for another name."""
    make_certificate(tmp_path / "right.pem")
    make_certificate(tmp_path / "other.pem", "other.example.com")
    return tmp_path


def tls_proxy(port: int, certificate: Path) -> FaultProxy:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return FaultProxy(port, context)


def test_a_trusted_certificate_for_the_host_is_accepted(
    s3_port: int, auth: AkSkAuth, small: Path, authority: Path
):
    proxy = tls_proxy(s3_port, authority / "right.pem")
    obs = buckets(proxy.url, auth, authority, verify=str(authority / "right.pem"))

    obs.create_bucket("over-tls")
    obs.upload_file(small, "obs://over-tls/")
    obs.download_file("obs://over-tls/small.txt", "there.txt")

    assert Path("there.txt").read_text() == "small"
    assert proxy.connections == 1
    obs.close()
    proxy.close()


def test_the_client_of_the_package_checks_certificates_and_hosts(s3_port: int, auth: AkSkAuth, authority: Path):
    proxy = tls_proxy(s3_port, authority / "right.pem")
    client = buckets(proxy.url, auth, authority, verify=str(authority / "right.pem")).client()

    assert client.context.check_hostname and client.context.verify_mode == ssl.CERT_REQUIRED
    assert client.headBucket("no-such-bucket").status == 404
    client.close()
    proxy.close()


@pytest.mark.parametrize(("certificate", "trusted", "reason"), [
    ("right.pem", None, "self.signed certificate"),
    ("other.pem", "other.pem", "IP address mismatch, certificate is not valid for '127.0.0.1'"),
])  # fmt: skip
def test_an_untrusted_certificate_or_one_for_another_host_is_refused_at_once(
    s3_port: int, auth: AkSkAuth, small: Path, authority: Path, certificate: str, trusted: str | None, reason: str
):
    proxy = tls_proxy(s3_port, authority / certificate)
    obs = buckets(proxy.url, auth, authority, verify=str(authority / trusted) if trusted else True)

    with pytest.raises(ObsError, match=f"{reason}.*Check the endpoint, proxies, and the certificates"):
        obs.upload_file(small, "obs://over-tls/")

    assert proxy.seen == [] and proxy.connections == 1
    proxy.close()


def test_certificates_are_not_checked_when_verify_is_off(
    s3_port: int, auth: AkSkAuth, authority: Path
):
    proxy = tls_proxy(s3_port, authority / "other.pem")
    obs = buckets(proxy.url, auth, authority, verify=False)

    with pytest.warns(Warning, match="Unverified HTTPS request"):
        assert not obs.exists("obs://no-such-bucket/")
    obs.close()
    proxy.close()


# --- proxies


class Tunnel(socketserver.ThreadingTCPServer):
    """A proxy that opens tunnels, and keeps what was requested."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.requested: list[str] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


class _Tunnel(socketserver.StreamRequestHandler):
    server: Tunnel

    def handle(self) -> None:
        head = b""
        while (line := self.rfile.readline()).strip():
            head += line
        self.server.requested.append(head.decode())
        host, _, port = head.split()[1].decode().partition(":")
        with socket.create_connection((host, int(port))) as there:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            ends = {self.connection: there, there: self.connection}
            while True:
                for end in select.select([*ends], [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    ends[end].sendall(data)


def test_a_proxy_gets_requests_to_a_plain_address_and_its_login(
    auth: AkSkAuth, small: Path, tmp_path: Path, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("://", "://me:pass%20word@"))
    obs = buckets("http://10.1.2.3:8080", auth, tmp_path)

    obs.create_bucket("through-proxy")
    obs.upload_file(small, "obs://through-proxy/")
    obs.download_dir("obs://through-proxy/", ".")

    assert Path("through-proxy/small.txt").read_text() == "small"
    assert all(request.target.startswith("http://10.1.2.3:8080/") for request in proxy.seen)
    assert {request.headers["proxy-authorization"] for request in proxy.seen} == {"Basic bWU6cGFzcyB3b3Jk"}
    obs.close()


def test_a_proxy_opens_tunnels_to_a_secure_address_and_gets_its_login(
    s3_port: int, auth: AkSkAuth, small: Path, authority: Path, monkeypatch: pytest.MonkeyPatch
):
    service = tls_proxy(s3_port, authority / "right.pem")
    tunnel = Tunnel()
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:pass%20word@127.0.0.1:{tunnel.server_address[1]}")
    obs = buckets(service.url, auth, authority, verify=str(authority / "right.pem"))

    obs.create_bucket("through-tunnel")
    obs.upload_file(small, "obs://through-tunnel/")

    (requested,) = tunnel.requested  # the connection is used again
    assert requested.startswith(f"CONNECT {service.url[len('https://'):]} ")
    assert "Proxy-Authorization: Basic bWU6cGFzcyB3b3Jk" in requested
    assert not [request for request in service.seen if "proxy-authorization" in request.headers]
    obs.close()
    tunnel.shutdown()
    tunnel.server_close()
    service.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_requires_another_login_is_asked_once(
    auth: AkSkAuth, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
):
    """Asked again and again with a wrong password, it might lock the account."""
    requested: list[bytes] = []

    def refuse() -> None:
        with suppress(OSError):  # it is closed
            while True:
                connection, _ = listening.accept()
                with connection:
                    requested.append(connection.recv(65536))
                    connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"http://me:the-password@{address}")
        threading.Thread(target=refuse, daemon=True).start()
        obs = buckets(f"{scheme}://obs.cn-north-4.myhuaweicloud.com", auth, tmp_path)
        with pytest.raises(ObsError, match=r"proxy requires a login.*MODELARTS_PROXY=http://user:password@") as caught:
            obs.delete_bucket("bucket")

    assert len({request.split()[0] for request in requested}) == len(requested)
    assert "the-password" not in str(caught.value)
    obs.close()


def test_hosts_in_no_proxy_are_reached_directly(
    auth: AkSkAuth, tmp_path: Path, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    obs = buckets(proxy.url, auth, tmp_path)

    assert not obs.exists("obs://no-such-bucket/")
    obs.close()


# --- processes


def test_a_forked_process_has_connections_of_its_own(obs: HuaweiBuckets, bucket: str, proxy: FaultProxy, small: Path):
    obs.upload_file(small, f"obs://{bucket}/")
    before = proxy.connections

    child = os.fork()
    if not child:
        try:
            obs.upload_file(small, f"obs://{bucket}/child/")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    obs.upload_file(small, f"obs://{bucket}/parent/")

    assert proxy.connections == before + 1
    assert len(obs.list(f"obs://{bucket}", recursive=True)) == 3


# --- the package


@pytest.mark.parametrize(("module", "said"), [
    (None, "get_obs_client() needs the package esdk-obs-python: pip install 'modelarts[obs]'"),
    ("import crcmod_that_is_not_there", "crcmod_that_is_not_there.*: pip install 'modelarts\\[obs\\]'"),
    ("something = 'else'", "another package.*: pip install 'modelarts\\[obs\\]'"),
])  # fmt: skip
def test_without_the_package_its_client_is_refused_and_buckets_work(
    obs: HuaweiBuckets, bucket: str, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str | None,
    said: str,
):  # fmt: skip
    for name in [name for name in sys.modules if name.partition(".")[0] == "obs"]:
        monkeypatch.delitem(sys.modules, name)
    if module is None:
        monkeypatch.setitem(sys.modules, "obs", None)
    else:
        (tmp_path / "obs.py").write_text(module)
        monkeypatch.syspath_prepend(tmp_path)

    obs.upload_file(small, f"obs://{bucket}/")
    with pytest.raises(ConfigError, match=said if module else None) as caught:
        obs.client()

    assert obs.exists(f"obs://{bucket}/small.txt")
    assert module or str(caught.value) == said


def test_buckets_load_no_package_and_no_progress_before_a_transfer(tmp_path: Path):
    program = """
        import sys
        from modelarts.session import Session
        obs = Session("A", "S", "p", "cn-north-4").obs
        print("obs" in sys.modules, "modelarts._display.progress" in sys.modules, obs)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == "False False HuaweiBuckets('https://obs.cn-north-4.myhuaweicloud.com')\n"


def test_the_client_of_the_package_has_no_log_and_shows_no_secrets(obs: HuaweiBuckets, bucket: str):
    client = obs.client()

    assert type(client.log_client).__name__ == "NoneLogClient"
    assert client.headBucket(bucket).status == 200
    assert SECRET_KEY not in repr(client) and TOKEN not in repr(client)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Shanghai", "America/St_Johns"])
@pytest.mark.parametrize("moment", ["2024-01-15T12:30:45.000Z", "2024-07-15T23:30:45.000Z"])
def test_times_of_listings_are_right_in_every_zone_and_season(
    obs: HuaweiBuckets, bucket: str, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, zone: str, moment: str
):
    page = f"<ListBucketResult><Name>{bucket}</Name><Contents><Key>a</Key><Size>1</Size><LastModified>{moment}"
    page += "</LastModified></Contents></ListBucketResult>"
    proxy.rule = lambda request: Reply(200, page.encode(), MARK)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        (found,) = obs.list(f"obs://{bucket}/")
    finally:
        monkeypatch.undo()
        time.tzset()

    assert found.modified == datetime.fromisoformat(moment.replace("Z", "+00:00"))


@pytest.mark.parametrize("signature", ["obs", "v2", "v4"])
def test_the_test_server_accepts_each_signature(
    s3_port: int, auth: AkSkAuth, bucket: str, tmp_path: Path, signature: str
):
    obs = HuaweiBuckets(f"http://127.0.0.1:{s3_port}", auth, tmp_path)  # a Chinese region has buckets apart there
    client = esdk.new_client(obs._client, signature=signature)

    assert client.putContent(bucket, f"{signature}.txt", content="there").status == 200
    assert client.getObject(bucket, f"{signature}.txt", loadStreamInMemory=True).body.buffer == b"there"
    assert obs.exists(f"obs://{bucket}/{signature}.txt")
    obs.close()
