"""Progress is shown on terminals and in notebooks, for transfers that take long enough, and counts correctly."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fault_proxy import CutBody, CutReply, FaultProxy
from large import PART

from modelarts._display import notebook, progress, terminal
from modelarts._display.progress import Progress, Silent, meter
from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts._obs.transfer import worker_pool as transfers


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that tests set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def shown(clock: Clock) -> tuple[Progress, list[tuple[str, bool]]]:
    texts: list[tuple[str, bool]] = []
    show = lambda title, numbers, last: texts.append((f"{title}  {numbers}", last))  # noqa: E731
    return Progress("upload", show, clock), texts


# --- what is shown


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), ValueError("I/O operation on closed file")])
def test_a_transfer_continues_when_the_terminal_is_closed(
    obs: HuaweiBuckets, bucket: str, big: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    """Its window was closed, or the connection broke."""

    class Gone(Terminal):
        def write(self, _: str) -> int:
            raise error

    monkeypatch.setattr(progress, "_DELAY", 0.0)
    monkeypatch.setattr("sys.stderr", Gone())

    obs.upload_file(big, f"obs://{bucket}/")

    assert obs.exists(f"obs://{bucket}/big.bin")


def test_functions_registered_for_the_end_are_called_after_any_failure():
    class Failing(Silent):
        def close(self) -> None:
            raise KeyboardInterrupt

    done: list[int] = []
    transfer = transfers.Transfer(1, Failing())
    transfer.at_end(lambda: done.append(1))

    with pytest.raises(KeyboardInterrupt):
        transfer.run([])

    assert done == [1]


def test_progress_shows_bytes_files_and_speed(clock: Clock):
    meter, texts = shown(clock)
    meter.found(3_000_000)
    clock.now += 2
    meter.moved(1_000_000)
    meter.found(1_000_000)
    meter.found_all()
    clock.now += 2
    meter.moved(2_000_000)
    meter.finished()
    meter.close()

    assert texts == [
        ("upload  1.0 MB of 3.0 MB+, 0 of 1+ files, 500.0 kB/s", False),
        ("upload   75 %  3.0 MB of 4.0 MB, 0 of 2 files, 750.0 kB/s", False),
        ("upload   75 %  3.0 MB of 4.0 MB, 1 of 2 files, 750.0 kB/s", True),
    ]


def test_a_short_transfer_shows_no_progress(clock: Clock):
    meter, texts = shown(clock)
    for _ in range(100):
        meter.found(10)
        meter.moved(10)
        meter.finished()
    clock.now += 0.4
    meter.close()

    assert texts == []


def test_progress_is_updated_a_few_times_per_second(clock: Clock):
    meter, texts = shown(clock)
    meter.found(1000)
    for _ in range(1000):
        clock.now += 0.01
        meter.moved(1)

    assert len(texts) == 48  # in 9.5 seconds


def test_skipped_files_do_not_count(clock: Clock):
    meter, texts = shown(clock)
    meter.found(500)
    meter.found(700)
    meter.skipped(500)
    meter.found_all()
    clock.now += 1
    meter.close()

    assert texts == [("upload    0 %  0 bytes of 700 bytes, 0 of 1 files, 0 bytes/s", True)]


def test_nothing_is_shown_after_close(clock: Clock):
    meter, texts = shown(clock)
    clock.now += 1
    meter.close()
    clock.now += 1
    meter.moved(1)
    meter.close()

    assert len(texts) == 1


# --- where it is shown


NUMBERS = " 75 %  3.0 MB of 4.0 MB, 0 of 2 files, 750.0 kB/s"


def test_a_terminal_shows_one_line_that_is_overwritten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "30")
    line = progress._Line(stream := Terminal(), True)

    line.show("upload a", "longer", False)
    line.show("upload a", "short", True)

    assert stream.getvalue() == "\rupload a  longer" + "\rupload a  short \n"


@pytest.mark.parametrize("end", ["dir/", "数据集/训练/", "e\u0301a\u0300/"])
def test_a_long_title_never_cuts_the_numbers_or_wraps_the_line(monkeypatch: pytest.MonkeyPatch, end: str):
    for columns in range(10, 100, 3):
        monkeypatch.setenv("COLUMNS", str(columns))
        line = progress._Line(stream := Terminal(), True)

        line.show(f"upload to obs://bucket/{end}", NUMBERS, False)

        shown = stream.getvalue().lstrip("\r")
        assert terminal.width(shown) < columns
        assert shown.endswith(NUMBERS.strip()) or (columns <= 49 and NUMBERS.strip().startswith(shown)), columns


def test_a_long_title_is_shortened_in_its_middle(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "72")
    line = progress._Line(stream := Terminal(), True)

    line.show("upload to obs://bucket/数据集/训练/", NUMBERS, False)

    assert stream.getvalue() == f"\rupload t...集/训练/  {NUMBERS}"


def test_a_terminal_that_became_narrower_does_not_wrap(monkeypatch: pytest.MonkeyPatch):
    line = progress._Line(stream := Terminal(), True)
    monkeypatch.setenv("COLUMNS", "80")
    line.show("upload", NUMBERS, False)
    monkeypatch.setenv("COLUMNS", "20")

    line.show("upload", "1", True)

    assert stream.getvalue().rpartition("\r")[2] == "upload  1".ljust(19) + "\n"


def test_a_file_gets_the_final_line_only():
    line = progress._Line(stream := io.StringIO(), False)

    line.show("upload", "first", False)
    line.show("upload", "last", True)

    assert stream.getvalue() == "upload  last\n"


@pytest.mark.parametrize(("asked", "stream", "kind"), [
    (None, io.StringIO(), Silent), (False, Terminal(), Silent),
    (None, Terminal(), Progress), (True, io.StringIO(), Progress), (True, Terminal(), Progress),
])  # fmt: skip
def test_progress_is_shown_on_terminals_or_on_request(asked: Any, stream: Any, kind: type):
    assert type(meter("upload", asked, stream)) is kind


def test_a_process_without_a_console_shows_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stderr", None)

    assert type(meter("upload")) is Silent


def test_a_notebook_shows_one_block_that_is_updated(monkeypatch: pytest.MonkeyPatch):
    shows: list[str] = []
    handle = SimpleNamespace(update=lambda block: shows.append(f"again {block}"))

    def display(block: str, display_id: bool) -> Any:
        shows.append(f"first {block}")
        return handle

    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(
        progress.importlib, "import_module", lambda name: SimpleNamespace(HTML=str, display=display)
    )
    block = progress._Block()
    block.show("<1>", "2", False)
    block.show("<1>", "3", True)

    assert shows == ["first <code>&lt;1&gt;  2</code>", "again <code>&lt;1&gt;  3</code>"]
    assert type(meter("upload", None, io.StringIO())) is Progress
    assert not notebook.in_notebook()


# --- what is counted


class Counting(Silent):
    """Adds up what is reported."""

    def __init__(self) -> None:
        self.files = self.size = self.bytes = self.complete = 0
        self.lock = threading.Lock()

    def found(self, size: int) -> None:
        self.files, self.size = self.files + 1, self.size + size

    def moved(self, size: int) -> None:
        with self.lock:
            self.bytes += size

    def finished(self) -> None:
        with self.lock:
            self.complete += 1


def test_bytes_that_are_transferred_again_count_once(
    obs: HuaweiBuckets, bucket: str, local: Path, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
):
    made: list[Counting] = []
    monkeypatch.setattr("modelarts._obs.transfer.plan.create_meter", lambda *_: made.append(Counting()) or made[-1])
    (local / "data").mkdir()
    (local / "data" / "big.bin").write_bytes(os.urandom(3 * PART + 5))
    (local / "data" / "small.bin").write_bytes(os.urandom(50_000))

    proxy.times(2, CutBody(20_000), lambda request: request.method == "PUT")
    obs.upload_dir("data", f"obs://{bucket}/")
    proxy.times(2, CutReply(20_000), lambda request: request.method == "GET" and bool(request.key))
    obs.download_dir(f"obs://{bucket}/data", "there")

    size = 3 * PART + 5 + 50_000
    assert [(one.files, one.size, one.bytes, one.complete) for one in made] == [(2, size, size, 2)] * 2


def test_a_transfer_shows_nothing_without_a_terminal(
    obs: HuaweiBuckets, bucket: str, local: Path, capfd: pytest.CaptureFixture[str]
):
    (local / "a.txt").touch()

    obs.upload_file("a.txt", f"obs://{bucket}/")
    obs.upload_file("a.txt", f"obs://{bucket}/", progress=False)

    assert capfd.readouterr() == ("", "")
    assert transfers.create_meter("upload", None).__class__ is Silent
