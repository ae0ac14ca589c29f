"""Text that the encoding of a stream lacks, as on a Windows console of another language, is escaped."""

from __future__ import annotations

import io

import pytest

from modelarts._display import progress
from modelarts._display.screen import Screen
from modelarts._display.tables import print_table


@pytest.fixture
def ascii_stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="")


def written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]


def test_a_log_is_shown(ascii_stream: io.TextIOWrapper):
    screen = Screen(ascii_stream)

    screen.log("epoch 1\n")
    screen.log("训练 done\n")

    assert written(ascii_stream) == "epoch 1\n\\u8bad\\u7ec3 done\n"


def test_a_table_is_shown(ascii_stream: io.TextIOWrapper):
    print_table([{"job_name": "训练"}], ["job_name"], ascii_stream)

    assert written(ascii_stream).splitlines()[-1] == "\\u8bad\\u7ec3"


def test_progress_is_shown(ascii_stream: io.TextIOWrapper, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(progress, "_DELAY", 0.0)
    meter = progress.meter("upload 训练", True, ascii_stream)

    meter.found(10)
    meter.moved(10)
    meter.close()

    assert written(ascii_stream).startswith("upload \\u8bad\\u7ec3  10 bytes of 10 bytes")
