"""Every request to OBS keeps the time-outs of its session, and those that the calling thread has set."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fault_proxy import FaultProxy, Reply, Request, Stall
from large import MIB

from modelarts.errors import ObsError
from modelarts.session import Session


@pytest.fixture
def session(proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Session]:
    """A session with a bucket."""
    monkeypatch.setenv("MODELARTS_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(Session, "_endpoints", {})
    Session.set_endpoint("iam.example.com", proxy.url, "modelarts.example.com", "test-1")
    with Session("A", "S", "p", "test-1") as opened:
        opened.create_bucket("time-outs")
        yield opened


def seconds_of(call: Callable[[], object]) -> float:
    """How long a call takes that gets no reply in time."""
    began = time.monotonic()
    with pytest.raises(ObsError, match=r"no reply in time\. Check the network; a slow one needs a longer"):
        call()
    return time.monotonic() - began


@pytest.mark.parametrize("call", ["exists", "upload", "large", "list"])
def test_a_deadline_ends_each_request(session: Session, proxy: FaultProxy, local: Path, call: str):
    (local / "small.txt").write_text("text")
    (local / "large.bin").write_bytes(bytes(9 * MIB))
    proxy.rule = lambda request: Stall()
    calls = {
        "exists": lambda: session.obs.exists("obs://time-outs/a"),
        "upload": lambda: session.obs.upload_file("small.txt", "obs://time-outs/"),
        "large": lambda: session.obs.upload_file("large.bin", "obs://time-outs/"),
        "list": lambda: session.obs.list("obs://time-outs/"),
    }

    with session.deadline(0.4):
        assert 0.3 < seconds_of(calls[call]) < 5


def test_threads_of_a_transfer_have_its_deadline(session: Session, proxy: FaultProxy, local: Path):
    (local / "large.bin").write_bytes(bytes(17 * MIB))
    proxy.rule = lambda request: Stall() if request.is_part else None

    with session.deadline(0.4):
        assert 0.3 < seconds_of(lambda: session.obs.upload_file("large.bin", "obs://time-outs/")) < 5


def test_a_deadline_applies_to_each_request_not_to_a_folder(session: Session, proxy: FaultProxy, local: Path):
    for number in range(6):
        (local / f"{number}.txt").write_text("text")

    def rule(request: Request) -> None:
        time.sleep(0.2)

    proxy.rule = rule
    with session.deadline(0.8):
        session.obs.upload_dir(".", "obs://time-outs/", threads=1)

    assert len(session.obs.list("obs://time-outs/local/")) == 6


def test_repeats_end_with_the_deadline(session: Session, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("modelarts._transport.transport._FIRST_PAUSE", 0.4)
    proxy.rule = lambda request: Reply(503)
    began = time.monotonic()

    with session.deadline(0.5), pytest.raises(ObsError, match="OBS is overloaded"):
        session.obs.exists("obs://time-outs/a")

    assert time.monotonic() - began < 2 and len(proxy.seen) < 5


def test_a_dripping_reply_ends_with_the_deadline(proxy: FaultProxy, session: Session):
    with socket.create_server(("127.0.0.1", 0)) as slow:

        def drip() -> None:
            connection, _ = slow.accept()
            with connection:
                connection.recv(65536)
                for byte in b"HTTP/1.1 200 OK\r\nX-Something: a long, long header" * 9:
                    try:
                        connection.send(bytes([byte]))
                    except OSError:
                        return
                    time.sleep(0.05)

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        Session.set_endpoint("iam.example.com", f"http://127.0.0.1:{slow.getsockname()[1]}", "m.example.com", "drip-1")
        with Session("A", "S", "p", "drip-1") as dripped, dripped.deadline(0.4):
            assert seconds_of(lambda: dripped.obs.exists("obs://time-outs/a")) < 5
    thread.join(10)


def test_the_connect_timeout_of_the_session_is_used(session: Session, monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as full:  # a queue that is full: nobody accepts, and nobody refuses
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        Session.set_endpoint("i.example.com", f"http://127.0.0.1:{full.getsockname()[1]}", "m.example.com", "full-1")
        with Session("A", "S", "p", "full-1", connect_timeout=0.1, total_timeout=0.5) as unreached:
            assert seconds_of(lambda: unreached.obs.exists("obs://time-outs/a")) < 5
        with Session("A", "S", "p", "full-1") as unreached, unreached.deadline(connect=0.1):
            assert seconds_of(lambda: unreached.obs.exists("obs://time-outs/a")) < 5  # six times
        for one in waiting:
            one.close()


def test_after_a_deadline_block_the_timeouts_of_the_session_are_used(session: Session, proxy: FaultProxy):
    with session.deadline(0.2, connect=0.1, read=0.1):
        pass

    def rule(request: Request) -> None:
        time.sleep(0.3)

    proxy.rule = rule

    assert not session.obs.exists("obs://time-outs/a")
