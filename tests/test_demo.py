"""The demo trains two versions, compares them, and downloads a model that can be used."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import outlines
from tests.support.interpreters import with_path
from tests.support.jobs import LIGHT_SKLEARN

DEMO = Path(__file__).parent.parent / "examples" / "digits" / "demo.py"
ROW = re.compile(r"^(V\d{4}) +(learning_rate=\S+ hidden_units=\d+ epochs=\d+) +(\w+) +(\d+\.\d) s +(\d\.\d{4})$", re.M)


def run_demo(folder: Path) -> str:
    """Run the demo as `make demo` does, in an empty folder; returns its output."""
    folder.mkdir()
    done = subprocess.run([sys.executable, str(DEMO)], cwd=folder, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_two_versions_are_trained_compared_and_used(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELARTS_HOME", str(home))
    monkeypatch.setenv("PYTHONPATH", str(LIGHT_SKLEARN), prepend=os.pathsep)  # `.[demo]` does not install it either
    monkeypatch.setenv("MODELARTS_LOCAL_PYTHON", with_path(LIGHT_SKLEARN, tmp_path))
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # more would wait for each other
    folder = tmp_path / "empty"
    printed = run_demo(folder)

    assert "first draft -> handwritten digits" in printed
    assert printed.index("epoch  8/8  loss") < printed.index("epoch 12/12  loss")

    rows = ROW.findall(printed)
    assert [(name, settings, status) for name, settings, status, _, _ in rows] == [
        ("V0001", "learning_rate=0.003 hidden_units=16 epochs=8", "JOBSTAT_COMPLETED"),
        ("V0002", "learning_rate=0.01 hidden_units=64 epochs=12", "JOBSTAT_COMPLETED"),
    ]
    first, second = (float(accuracy) for *_, accuracy in rows)
    assert 0.9 < first < second <= 1.0
    assert all(float(seconds) > 0 for *_, seconds, _ in rows)

    file = folder / "digits-model" / "digits.pkl"
    assert str(file) in printed
    held_back = read_digits(home)
    assert score(outlines.of(file.read_bytes()).attributes, *held_back) == pytest.approx(second, abs=1e-4)
    outputs = list((home / "local" / "buckets" / "digits-demo").glob("digits-*/*/model/digits.pkl"))
    assert sorted(output.parts[-3] for output in outputs) == ["first", "second"]
    assert len({output.read_bytes() for output in outputs}) == 2


def score(network: dict[str, Any], images: Any, labels: Any) -> float:
    """The part of the images whose digit a network of one hidden layer finds, computed without scikit-learn."""
    hidden, output = network["coefs_"]
    guesses = np.maximum(images @ hidden + network["intercepts_"][0], 0) @ output + network["intercepts_"][1]
    return float((network["classes_"][guesses.argmax(axis=1)] == labels).mean())


def read_digits(home: Path):
    """The held-back images in the bucket, read without the code of the example."""
    files = sorted((home / "local" / "buckets" / "digits-demo" / "digits" / "held-back").glob("*/*.pgm"))
    assert len(files) == 360
    pixels = [[int(word) / 16 for word in file.read_text().split()[4:]] for file in files]
    return np.array(pixels), np.array([int(file.parent.name) for file in files])
