"""What users import is what is documented, and importing it loads nothing that is not needed yet."""

from __future__ import annotations

import importlib
import inspect
import json
import pydoc
import re
import subprocess
import sys
from pathlib import Path

import pytest

import modelarts
from modelarts import errors
from modelarts._obs.buckets import Buckets
from modelarts.session import Session

PUBLIC = {
    "modelarts": ["__version__"],
    "modelarts.session": ["Session"],
    "modelarts.estimator": ["JOB_STATE", "Estimator", "TrainingJob", "VisualizationJob"],
    "modelarts.job": ["TrainingJob"],
    "modelarts.visualization": ["VisualizationJob"],
    "modelarts.exception.apig_exception": ["APIGException"],
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


CLOUD_SESSION = """\
from modelarts.session import Session
Session(access_key="A", secret_key="S", project_id="p", region_name="cn-north-4")
"""
HEAVY = ("flask", "waitress", "werkzeug", "sqlite3", "pandas", "numpy", "matplotlib", "IPython", "obs", "click")


def loaded_by(statement: str) -> set[str]:
    """The modules that a new interpreter has loaded after a statement; the files of `site` do not count."""
    start, end = "import json, sys\nsys.path[:] = json.loads(sys.argv[1])", "print(json.dumps(list(sys.modules)))"
    program = f"{start}\n{statement}\n{end}"
    paths = [str(Path(modelarts.__file__).parents[1]), *sys.path]
    command = [sys.executable, "-S", "-c", program, json.dumps(paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def below(names: set[str], *packages: str) -> list[str]:
    return sorted(name for name in names if name.startswith(tuple(f"{package}." for package in packages))
                  or name in packages)  # fmt: skip


def test_importing_modelarts_loads_nothing_else():
    assert loaded_by("import modelarts") - loaded_by("pass") == {"modelarts", "modelarts._version"}


def test_importing_session_and_estimator_loads_no_library_and_little_of_this_package():
    loaded = loaded_by("import modelarts.session, modelarts.estimator")

    assert "modelarts.job" in loaded
    assert below(
        loaded, "modelarts._api.client", "modelarts._transport.transport", "modelarts._transport.options",
        "modelarts._auth.iam", "modelarts._obs.cloud", "modelarts._obs.local", "modelarts._obs.transfer",
        "modelarts._submit.staging", "modelarts.local", "modelarts._display", "modelarts.cli", "modelarts.algorithms",
        "requests", "urllib3", "attr", "attrs", "dateutil", *HEAVY,
    ) == []  # fmt: skip


def test_importing_session_and_estimator_loads_no_costly_part_of_the_standard_library():
    loaded = loaded_by("import modelarts.session, modelarts.estimator") - loaded_by("import json, logging")

    assert below(
        loaded, "email", "http", "socket", "ssl", "hashlib", "inspect", "pathlib", "tempfile", "shutil", "random",
        "subprocess", "difflib", "configparser", "concurrent", "asyncio", "dataclasses",
    ) == []  # fmt: skip


def test_a_cloud_session_loads_nothing_that_only_others_need():
    loaded = loaded_by(CLOUD_SESSION)

    assert "modelarts._api.client" in loaded
    assert below(loaded, "modelarts.local", "modelarts._display", "modelarts._auth.iam", "modelarts._obs.cloud",
                 "modelarts._obs.local", "attr", "attrs", "dateutil", *HEAVY) == []  # fmt: skip


def test_errors_need_no_library():
    loaded = loaded_by("import modelarts.errors")

    assert below(loaded, "requests", "urllib3", "attr", "attrs") == []


@pytest.mark.parametrize("documented", [Session, Buckets], ids=lambda documented: documented.__name__)
def test_paths_in_signatures_have_types_that_help_explains(documented: type):
    text = pydoc.render_doc(documented, renderer=pydoc.plaintext)

    assert "os.PathLike[str]" in text
    assert "LocalPath" not in text
