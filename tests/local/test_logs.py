"""Reading logs by line and by byte, in constant memory, whatever their contents."""

from __future__ import annotations

import pytest

from modelarts.local.api import logs


@pytest.fixture
def log(tmp_path):
    return tmp_path / "worker.log"


def read_all(log, lines: int = 3) -> str:
    position, text = 0, ""
    while (part := logs.read_forward(log, position, lines)).text:
        text, position = text + part.text, part.end
    return text


def test_reading_forward_returns_every_line_once(log):
    content = "".join(f"line {i}\n" for i in range(10)) + "no end yet"
    log.write_text(content)

    assert read_all(log) == content


def test_without_a_position_the_newest_lines_are_returned(log):
    log.write_text("a\nb\nc\nd\n")

    part = logs.read_backward(log, None, 2)

    assert (part.text, part.lines, part.start, part.first, part.end) == ("c\nd\n", 2, 4, 6, 8)


def test_reading_backward_from_a_line_returns_those_before_it(log):
    log.write_text("a\nb\nc\nd\ne\n")
    newest = logs.read_backward(log, None, 2)

    before = logs.read_backward(log, newest.first, 2)

    assert before.text == "b\nc\n"
    assert logs.read_backward(log, before.first, 2).text == "a\n"
    assert logs.read_backward(log, logs.read_backward(log, before.first, 2).first, 2).text == ""


def test_reading_forward_from_a_line_returns_those_behind_it(log):
    log.write_text("a\nb\nc\nd\n")
    first = logs.read_forward(log, 0, 2)

    assert logs.read_forward(log, first.end, 5).text == "c\nd\n"
    assert logs.read_forward(log, first.first, 5).text == "b\nc\nd\n"


def test_a_growing_line_is_read_in_parts_without_loss(log):
    log.write_bytes(b"epoch 1 ...")
    first = logs.read_forward(log, 0, 50)
    log.write_bytes(b"epoch 1 ... done\n")

    assert first.text + logs.read_forward(log, first.end, 50).text == "epoch 1 ... done\n"


@pytest.mark.parametrize("cut", range(1, 4))
def test_an_incomplete_character_is_left_for_the_next_reading(log, cut):
    whole = "模型😀".encode()
    log.write_bytes(whole[:-cut])
    first = logs.read_forward(log, 0, 50)
    log.write_bytes(whole)

    assert first.text + logs.read_forward(log, first.end, 50).text == "模型😀"


def test_invalid_bytes_become_replacement_characters(log):
    log.write_bytes(b"\xff\xc3(\x00ok\n")

    assert read_all(log) == "\ufffd\ufffd(\x00ok\n"


def test_a_log_that_does_not_exist_yet_is_empty(log):
    assert logs.read_forward(log, 0, 50) == logs.LogPart("", 0, 0, 0)
    assert logs.read_backward(log, None, 50).text == ""
    assert logs.read_bytes(log, -1, 2048).text == ""


def test_a_log_that_was_rotated_is_read_from_its_beginning(log):
    log.write_text("a long first file\n")
    position = logs.read_forward(log, 0, 50).end
    log.write_text("new\n")

    assert logs.read_forward(log, position, 50).text == "new\n"


@pytest.mark.parametrize(
    ("start_byte", "offset", "text", "end"),
    [(0, 4, "0123", 4), (4, 3, "456", 7), (-1, 3, "789", 10), (6, -2, "45", 6), (8, 100, "89", 10), (50, 5, "", 10)],
)
def test_bytes_are_read_as_documented(log, start_byte, offset, text, end):
    log.write_text("0123456789")

    part = logs.read_bytes(log, start_byte, offset)

    assert (part.text, part.end) == (text, end)


def test_reading_fewer_bytes_than_a_character_has_makes_progress(log):
    log.write_text("训练", encoding="utf-8")

    position = 0
    while (part := logs.read_bytes(log, position, 2, complete=True)).end > position:
        position = part.end

    assert position == len("训练".encode())


def test_lines_longer_than_a_page_are_read_page_by_page(log):
    line = b"x" * (3 * 1024 * 1024) + b"\n"
    log.write_bytes(line * 4)

    position, sizes = 0, []
    while (part := logs.read_forward(log, position, 500)).text:
        sizes.append(len(part.text))
        position = part.end

    assert sum(sizes) == len(line) * 4
    assert max(sizes) <= logs.PAGE
    assert len(logs.read_backward(log, None, 500).text) == logs.PAGE
