"""The text of every type of value: numbers, arrays, dates, paths and what has no text."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import io
import json
import math
import uuid
from argparse import Namespace
from array import array
from collections import deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PureWindowsPath
from typing import Any, NamedTuple

import numpy
import pandas
import pytest

from modelarts.errors import ArgumentError
from modelarts.session import Session
from tests.support.cloud import Cloud, cloud_estimator


def sent(cloud: Cloud, session: Session, hyperparameters: Any) -> Any:
    cloud.look_ups("specs", "engines")
    estimator = cloud_estimator(session, hyperparameters=hyperparameters)
    return estimator.payload("create_training_job_config", config_name="c")["parameter"]


class Optimizer(enum.Enum):
    ADAM = "adam"
    SGD = auto = 2


class Mode(str, enum.Enum):
    TRAIN = "train"

    def __str__(self) -> str:
        return "not this"


@dataclasses.dataclass
class Settings:
    lr: float = 0.1


class Shape(NamedTuple):
    rows: int
    columns: int


class Version:
    def __str__(self) -> str:
        return "1.2"


class Nested(dict):  # type: ignore[type-arg]
    """A mapping of a library."""


RING: list[Any] = []
RING.append(RING)

# Each value, and the text that the script gets.
TEXTS: list[tuple[Any, str]] = [
    ("adam", "adam"), ("", ""), (" two words ", " two words "), ("学习率", "学习率"), ("a\nb", "a\nb"),
    ("--x=1", "--x=1"),
    (10, "10"), (-1, "-1"), (10**400, "1" + 400 * "0"), (numpy.int64(3), "3"), (numpy.uint8(255), "255"),
    (0.001, "0.001"), (1e-05, "1e-05"), (1.0, "1.0"), (-0.0, "-0.0"), (1e300, "1e+300"),
    (math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf"),
    (numpy.float32(0.1), "0.1"), (numpy.float64(1e-05), "1e-05"), (numpy.float16(0.1), "0.1"),
    (Decimal("0.10"), "0.10"), (Decimal("1E+3"), "1E+3"), (Fraction(1, 3), "1/3"), (1 + 2j, "(1+2j)"),
    (True, "true"), (False, "false"), (numpy.bool_(True), "true"), (None, ""),
    (Path("a/b"), "a/b"), (PureWindowsPath("C:/a"), "C:\\a"),
    (Optimizer.ADAM, "adam"), (Optimizer.SGD, "2"), (Mode.TRAIN, "train"),
    (datetime.date(2026, 1, 2), "2026-01-02"), (datetime.datetime(2026, 1, 2, 3, 4), "2026-01-02T03:04:00"),
    (datetime.time(3, 4), "03:04:00"), (pandas.Timestamp("2026-01-02", tz="UTC"), "2026-01-02T00:00:00+00:00"),
    (numpy.datetime64("2026-01-02T03:04"), "2026-01-02T03:04"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"), (Version(), "1.2"),
    ([1, "a", True, None, 0.5], '[1, "a", true, null, 0.5]'), ((1, 2), "[1, 2]"), ([], "[]"), ({}, "{}"),
    (range(3), "[0, 1, 2]"), (deque([1]), "[1]"), (Shape(2, 3), "[2, 3]"), (Nested(a=[Nested()]), '{"a": [{}]}'),
    ({"层": 2, 1: {True: None}}, '{"层": 2, "1": {"true": null}}'),
    ([["quoted \"x\"\0"]], '[["quoted \\"x\\"\\u0000"]]'),
    ({"paths": {"a": Path("b")}, "mode": [Mode.TRAIN]}, '{"paths": {"a": "b"}, "mode": ["train"]}'),
    ([Decimal("0.10"), numpy.float32(0.1), datetime.date(2026, 1, 2)], '[0.10, 0.1, "2026-01-02"]'),
    (numpy.arange(3000), json.dumps([*range(3000)])), (numpy.array([[0.1, 2]], "f4"), "[[0.1, 2.0]]"),
    (numpy.array(3), "3"), (numpy.zeros((2, 0)), "[[], []]"), (numpy.array([True]), "[true]"),
    (numpy.array(["2026-01-02"], "M8[ns]"), '["2026-01-02T00:00:00.000000000"]'),
    (numpy.array([None, "a"], object), '[null, "a"]'), (numpy.array([[1, 2]]).view(numpy.matrix), "[[1, 2]]"),
    (array("d", [1]), "[1.0]"),
    (pandas.Series([1.5, 2]), "[1.5, 2.0]"), (pandas.Index(["a"]), '["a"]'),
]  # fmt: skip

# Each value that is refused, and what the message says.
REFUSED: list[tuple[Any, str]] = [
    (object(), "object has no text of its own: pass a text, a number"), (object, "type has no text of its own"),
    (len, "pass its name"), (lambda: 1, "pass its name"), (Settings(), "pass dataclasses.asdict(value)"),
    (Namespace(lr=1), "pass vars(value)"), ({1, 2}, "pass sorted(value)"), (frozenset(), "pass sorted(value)"),
    ((i for i in [1]), "generator has no text of its own: pass list(value)"), ({1: 2}.keys(), "pass list(value)"),
    (map(str, [1]), "pass list(value)"), (io.StringIO(), "pass the path of the file"),
    (b"secret", "bytes is no text: pass value.decode()"), (bytearray(b"secret"), "pass value.decode()"),
    (memoryview(b"secret"), "pass value.decode()"), (numpy.array([b"a"]), "value[0] cannot be written as JSON"),
    (datetime.timedelta(1), "pass value.total_seconds()"), (pandas.Timedelta("1s"), "pass value.total_seconds()"),
    (numpy.timedelta64(1, "s"), "pass a number of seconds"), (pandas.NaT, "missing value: pass None"),
    (numpy.datetime64("NaT"), "missing value: pass None"), (pandas.NA, "has no text of its own"),
    (pandas.DataFrame({"a": [1]}), 'pass value.to_dict("list")'), (numpy.ma.array([1], mask=[1]), "value.filled("),
    (numpy.dtype("f4"), "has no text of its own"), (numpy.random.default_rng(), "has no text of its own: pass"),
    (numpy.zeros(2, [("a", "i4")]), "value[0] cannot be written as JSON: numpy.void is a record"),
    (numpy.zeros(10**6, "u1"), "has 1000000 elements, too many for an argument: save it to a file"),
    (range(10**12), "as JSON it has more than 131071 bytes"), ("a\0b", "contains a NUL character"),
    ("\udc80", "UTF-8 can encode"), (["\udc80"], "UTF-8 can encode"), (10**5000, "the number cannot be written"),
    ({"layers": [object]}, "value['layers'][0] cannot be written as JSON: type has no text of its own"),
    ([1, [math.nan]], "value[1][0] cannot be written as JSON: JSON has no number nan: pass a text"),
    ([1j], "JSON has no number 1j"), ({(1, 2): 3}, "the key (1, 2) of a dict is no text and no number"),
    ({1: 1, "1": 2}, "it has two members named '1'"), (RING, "contains itself, or is nested too deeply"),
]  # fmt: skip


@pytest.mark.parametrize("form", ["dict", "label", "key"])
def test_values_are_converted_to_text_by_one_rule(cloud: Cloud, session: Session, form: str):
    values = {f"v{number}": value for number, (value, _) in enumerate(TEXTS)}
    given = values if form == "dict" else [{form: name, "value": value} for name, value in values.items()]

    rows = sent(cloud, session, given)

    assert [row["label"] for row in rows] == [*values]
    assert [row["value"] for row in rows] == [text for _, text in TEXTS]


def test_values_without_a_text_of_their_own_are_refused_by_name(cloud: Cloud, session: Session):
    with pytest.raises(ArgumentError) as caught:
        sent(cloud, session, {f"v{number}": value for number, (value, _) in enumerate(REFUSED)})

    problems = caught.value.problems
    assert [problem.value for problem in problems] == [{f"v{i}": type(row[0])} for i, row in enumerate(REFUSED)]
    for problem, (value, rule) in zip(problems, REFUSED):
        assert rule in problem.rule, (type(value), problem.rule)
    assert "secret" not in str(caught.value)
