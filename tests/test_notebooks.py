"""The notebooks run: each is executed by a kernel in a temporary folder."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.interpreters import with_path
from tests.support.jobs import LIGHT_SKLEARN

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture
def run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs a notebook beside the examples, as in a checkout; returns the output of each cell by its id."""
    monkeypatch.setenv("MODELARTS_HOME", str(home))
    monkeypatch.setenv("PYTHONPATH", str(LIGHT_SKLEARN), prepend=os.pathsep)
    monkeypatch.setenv("MODELARTS_LOCAL_PYTHON", with_path(LIGHT_SKLEARN, tmp_path))
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # more would wait for each other
    # Older jupyter_core warns at import about folders that will move; this selects the new ones.
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    import nbformat  # not above: it takes a quarter of a second of each worker's collection
    from nbclient import NotebookClient

    folder = tmp_path / "notebooks"
    folder.mkdir()
    (tmp_path / "examples").symlink_to(ROOT / "examples")

    def run(name: str) -> dict[str, str]:
        notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()
        return {cell["id"]: shown(cell) for cell in notebook.cells if cell.cell_type == "code"}

    return run


def shown(cell: Any) -> str:
    """The text that a cell printed and displayed."""
    return "".join(output.get("text") or output["data"]["text/plain"] for output in cell.outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_stored_without_outputs(path: Path) -> None:
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert [cell["id"] for cell in code if cell.outputs or cell.execution_count] == []


def test_the_first_job_trains_two_versions_and_uses_the_model(run, tmp_path: Path) -> None:
    cells = run("01_first_job.ipynb")

    assert "'config_desc': 'handwritten digits'" in cells["configuration"]
    assert "epoch  8/8" in cells["fit"]
    assert "JOBSTAT_COMPLETED after" in cells["result"]
    rows = re.findall(r"(V\d{4})  (\w+)  accuracy (\d\.\d{4})  (.+)", cells["compare"])
    assert [(version, status) for version, status, _, _ in rows] == [
        ("V0001", "JOBSTAT_COMPLETED"), ("V0002", "JOBSTAT_COMPLETED"),
    ]  # fmt: skip
    first, second = (float(accuracy) for _, _, accuracy, _ in rows)
    assert 0.9 < first < second <= 1.0
    assert rows[1][3] == "learning_rate=0.01 hidden_units=64 epochs=12"
    guesses, truth = re.search(r"guesses ([\d ]+)  truth ([\d ]+)", cells["model"]).groups()
    assert len(truth.split()) == 4
    assert sum(map(str.__eq__, guesses.split(), truth.split())) >= 3
    assert (tmp_path / "notebooks" / "digits-model" / "digits.pkl").is_file()
