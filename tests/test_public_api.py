"""What users import is what is documented, and importing it loads nothing that is not needed yet."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import modelarts
from modelarts import errors

PUBLIC = {
    "modelarts": ["__version__"],
    "modelarts.session": ["Session"],
    "modelarts.estimator": ["JOB_STATE", "Estimator", "TrainingJob", "VisualizationJob"],
    "modelarts.job": ["TrainingJob"],
    "modelarts.visualization": ["VisualizationJob"],
    "modelarts.environment": ["CondaDependencies", "Environment"],
}


@pytest.mark.parametrize("module", PUBLIC)
def test_a_module_offers_its_documented_names_and_each_exists(module: str):
    offered = importlib.import_module(module)

    assert sorted(offered.__all__) == sorted(PUBLIC[module])
    assert [name for name in offered.__all__ if not hasattr(offered, name)] == []


def test_the_version_is_that_of_the_installed_package():
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", modelarts.__version__)


# --- the tree of errors


def drawn_tree() -> dict[str, set[str]]:
    """The classes of the tree at the top of `errors.py`, each with its bases as drawn."""
    tree: dict[str, set[str]] = {}
    above: list[str] = []
    for line in (inspect.getdoc(errors) or "").splitlines()[2:]:
        match = re.match(r"([│├└─ ]*)(\w+)(?:\((\w+)\))?", line)
        if match and match[2][0].isupper():
            depth = len(match[1]) // 3 if "─" in match[1] else 0
            above[depth:] = [match[2]]
            tree[match[2]] = {above[depth - 1] if depth else "Exception", *filter(None, [match[3]])}
    return tree


def test_the_tree_of_errors_is_drawn_as_it_is():
    real = {
        name: {base.__name__ for base in kind.__bases__}
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, Exception)
    }

    assert drawn_tree() == real


# --- what an import costs


def loaded_by(statement: str) -> set[str]:
    """The modules that a new interpreter has loaded after a statement."""
    program = f"{statement}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    place = Path(modelarts.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", program], cwd=place, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def below(names: set[str], *packages: str) -> list[str]:
    return sorted(name for name in names if name.startswith(tuple(f"{package}." for package in packages))
                  or name in packages)  # fmt: skip


def test_importing_modelarts_loads_neither_requests_nor_attrs():
    loaded = loaded_by("import modelarts")

    assert "modelarts._version" in loaded
    assert below(loaded, "requests", "attr", "attrs", "urllib3", "click") == []


def test_importing_session_and_estimator_loads_only_the_small_layers():
    loaded = loaded_by("import modelarts.session, modelarts.estimator")

    assert "modelarts._submit.v1.payload" in loaded
    assert below(
        loaded, "modelarts._api.client", "modelarts.local", "modelarts._display", "modelarts.cli",
        "modelarts.algorithms", "requests", "urllib3",
        "flask", "waitress", "werkzeug", "sqlite3", "pandas", "numpy", "matplotlib", "IPython", "obs", "click",
    ) == []  # fmt: skip


def test_a_cloud_session_loads_nothing_of_the_local_service():
    login = "access_key='A', secret_key='S', project_id='p', region_name='cn-north-4'"

    loaded = loaded_by(f"from modelarts.session import Session\nSession({login})")

    assert below(loaded, "modelarts.local", "flask", "sqlite3", "modelarts._display") == []


def test_refusals_of_arguments_need_no_lookup_library():
    loaded = loaded_by("import modelarts.errors")

    assert below(loaded, "requests", "urllib3") == []
