"""The records of a CSV file in UTF-8; encodings, quotes and characters that are wrong are reported by line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

_SAVE = "save it as UTF-8 (in Excel: 'CSV UTF-8')"
_WORKBOOK = "an Excel workbook; save it as 'CSV UTF-8'"
# How files of other formats begin, and what they are.
_FORMATS = (
    (b"\xff\xfe\x00\x00", f"UTF-32 text; {_SAVE}"), (b"\x00\x00\xfe\xff", f"UTF-32 text; {_SAVE}"),
    (b"\xff\xfe", f"UTF-16 text; {_SAVE}"), (b"\xfe\xff", f"UTF-16 text; {_SAVE}"),
    (b"PK\x03\x04", f"a ZIP archive, or {_WORKBOOK}"), (b"\xd0\xcf\x11\xe0", _WORKBOOK),
    (b"\x1f\x8b", "a gzip archive; unpack it"), (b"PAR1", "a Parquet file; save it as CSV"),
)  # fmt: skip


class BadCsv(Exception):
    """What is wrong with a file, where, and what to do."""


def records(path: Path, name: str) -> Iterator[tuple[int, list[str]]]:
    """The records of a file that are not blank, each with the number of its first line; values without blanks around.

    Args:
        name: how messages call the file.

    Raises:
        BadCsv: the file is no CSV file in UTF-8.
    """
    with path.open("rb") as file:
        begin = file.read(4)
    for signature, kind in _FORMATS:
        if begin.startswith(signature):
            raise BadCsv(f"{name}, line 1: this is {kind}")
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(_lines(file, name), strict=True, skipinitialspace=True)
        while True:
            line = rows.line_num + 1
            try:
                row = [value.strip() for value in next(rows)]
            except StopIteration:
                return
            except UnicodeDecodeError:
                raise _not_utf8(path, name) from None
            except csv.Error as error:
                raise BadCsv(f"{name}, line {line}: {_explained(str(error))}") from None
            if any(row):
                yield line, row


def _lines(file: Iterator[str], name: str) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        if "\0" in line:
            raise BadCsv(f"{name}, line {number}: contains a NUL character; the file is damaged, or UTF-16: {_SAVE}")
        yield line


def _explained(error: str) -> str:
    """What an error of the csv module means."""
    if "unexpected end of data" in error:
        return "the quote of a value that begins here is not closed until the end of the file; close it"
    if "field larger than field limit" in error:
        return f"a value has more than {csv.field_size_limit()} characters; is a quote not closed?"
    if "expected after" in error:
        return "there is text behind the closing quote of a value; write a quote within a quoted value twice"
    return error


def _not_utf8(path: Path, name: str) -> BadCsv:
    """Which line is not UTF-8; the reader decodes many lines at once."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                guess = "the file seems to be GBK" if _is_gbk(line) else "the file has another encoding"
                return BadCsv(f"{name}, line {number}: byte 0x{line[error.start]:02x} is not UTF-8; {guess}: {_SAVE}")
    return BadCsv(f"{name}: is not UTF-8; {_SAVE}")


def _is_gbk(line: bytes) -> bool:
    try:
        return any("\u4e00" <= character <= "\u9fff" for character in line.decode("gb18030"))
    except UnicodeDecodeError:
        return False
