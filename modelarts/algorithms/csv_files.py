"""CSV files as training data: what is wrong with one is reported by file and line, with what to do."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from modelarts.algorithms import csv_text
from modelarts.algorithms.csv_text import BadCsv

_MISSING = frozenset(("", "na", "n/a", "#n/a", "nan", "null", "none", "?", "-"))
_LARGEST = 3.4028234e38  # scikit-learn computes with 32 bits


class Table(NamedTuple):
    """The rows of all files: the names of the columns, the features as numbers, and the labels."""

    columns: list[str]
    features: list[list[float]]
    labels: list[Any]


def find(data: Path) -> list[Path]:
    """The CSV files in a folder, or the file itself. Raises `BadCsv` if there are none."""
    if data.is_file():
        return [data]
    found = [path for path in sorted(data.rglob("*")) if path.is_file() and not _is_hidden(path.relative_to(data))]
    files = [path for path in found if path.suffix.lower() == ".csv"]
    if not files:
        names = ", ".join(path.relative_to(data).as_posix() for path in found[:5]) or "no file at all"
        raise BadCsv(f"the input folder has no .csv file, but {names}: pass a folder with .csv files, or one file")
    return files


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)  # as notebooks and macOS leave them


def read(data: Path, label_column: str, numeric_labels: bool) -> Table:
    """Read all CSV files of a folder, or one file.

    Args:
        label_column: the name of the label's column; an empty text means the last one.
        numeric_labels: whether labels are numbers, too.

    Raises:
        BadCsv: the first problem, by file and line.
    """
    table = Table([], [], [])
    first, empty = "", []
    for path in find(data):
        name = path.relative_to(data).as_posix() if data.is_dir() else path.name
        records = csv_text.records(path, name)
        line, header = next(records, (0, []))
        if not header:
            empty.append(name)
            continue
        label = _label_index(header, label_column, f"{name}, line {line}")
        if table.columns:
            _check_same(header, table.columns, f"{name}, line {line}", first)
        first = first or name
        table.columns[:] = header
        _add_rows(table, records, name, label, numeric_labels)
    if not table.labels:
        name = first or empty[0]
        raise BadCsv(f"{name} has no rows: a CSV file needs a header line, and a line for each example")
    for name in empty:
        print(f"{name} is empty and is left out", flush=True)
    return table


# --- the header


def _label_index(header: list[str], label_column: str, where: str) -> int:
    if header[0].lower().startswith("sep="):
        raise BadCsv(f"{where}: only Excel understands this line; remove it, and separate the values by commas")
    if len(header) == 1:
        raise BadCsv(f"{where}: {_why_one_column(header[0])}")
    for index, column in enumerate(header):
        if not column:
            raise BadCsv(f"{where}: column {index + 1} has no name; name it, or remove the column")
        if column in header[:index]:
            raise BadCsv(f"{where}: there are two columns named {column!r}; rename one")
    if label_column and label_column not in header:
        raise BadCsv(f"{where}: no column is named {label_column!r}; they are {', '.join(header)}")
    label = header.index(label_column) if label_column else len(header) - 1
    features = header[:label] + header[label + 1 :]
    numbered = [str(index) for index in range(len(features))]  # as pandas names columns without names
    if not label_column and features != numbered and all(_is_number(column) for column in features):
        raise BadCsv(f"{where}: the names of the columns are expected, and it has only numbers such as {features[0]}; "
                     "write a line with the names above it")  # fmt: skip
    return label


def _why_one_column(text: str) -> str:
    for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars"), ("，", "full-width commas")):
        if separator in text:
            return f"the values seem to be separated by {name}; save the file with commas between them"
    return f"there is only one column, {text[:60]!r}; features and a label are needed, separated by commas"


def _check_same(header: list[str], columns: list[str], where: str, first: str) -> None:
    if header == columns:
        return
    missing = ", ".join(column for column in columns if column not in header)
    more = ", ".join(column for column in header if column not in columns)
    found = [f"it lacks {missing}" if missing else "", f"it has {more}" if more else ""]
    difference = " and ".join(filter(None, found)) or "they are in another order"
    raise BadCsv(f"{where}: its columns differ from those of {first}: {difference}; all files need the same columns")


# --- the rows


def _add_rows(table: Table, records: Iterator[tuple[int, list[str]]], name: str, label: int, numbers: bool) -> None:
    columns = table.columns
    for line, row in records:
        where = f"{name}, line {line}"
        if len(row) != len(columns):
            raise BadCsv(f"{where}: {len(row)} values, where the header has {len(columns)} columns; write one value "
                         "for each column, and quote values that contain commas")  # fmt: skip
        if not row[label] or (numbers and row[label].lower() in _MISSING):  # a class may be named "none"
            raise BadCsv(f"{where}: the label in column {columns[label]!r} is missing; fill it in, or remove the line")
        if numbers and not _is_number(row[label]):
            raise BadCsv(f"{where}: the label {row[label]!r} in column {columns[label]!r} is not a number; a regressor "
                         "needs numbers, and RandomForestClassifier takes texts")  # fmt: skip
        values = [_number(text, column, where) for index, (text, column) in enumerate(zip(row, columns))
                  if numbers or index != label]  # fmt: skip
        table.labels.append(values.pop(label) if numbers else row[label])
        table.features.append(values)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _number(text: str, column: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if -_LARGEST <= number <= _LARGEST and "_" not in text:
        return number
    raise _no_number(text, column, where)


def _no_number(text: str, column: str, where: str) -> BadCsv:
    if text.lower() in _MISSING:
        return BadCsv(f"{where}: the value {text!r} in column {column!r} is missing; fill it in, or remove the line")
    shown = f"{text[:60]!r} in column {column!r}"
    if _is_number(text):
        return BadCsv(f"{where}: {shown} is not a number of at most {_LARGEST:.1e}")
    hint = "; write numbers without thousands separators" if _is_number(text.replace(",", "")) else ""
    rule = f"every column except the label must be a number{hint}"
    return BadCsv(f"{where}: could not convert string to float: {shown}; {rule}")
