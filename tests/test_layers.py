"""Imports go one way through the layers, so that the layout cannot lie."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import modelarts

PACKAGE = Path(modelarts.__file__).parent

# Which modules make up a layer: names below `modelarts`, each with all that is below it. The most exact name counts.
LAYERS = {
    "cli": ("cli",),
    "moxing": ("moxing", "local.runtime.path"),
    "moxing cloud": ("moxing.framework.file._cloud",),
    "public": ("estimator", "job", "visualization", "environment", "exception"),
    "jobs": ("_jobs",),
    "submit": ("_submit",),
    "session": ("session",),
    "obs": ("_obs",),
    "api": ("_api",),
    "auth": ("_auth",),
    "transport": ("_transport",),
    "settings": ("_settings",),
    "wire": ("_wire",),
    "errors": ("errors",),
    "version": ("_version", "__init__"),
    "display": ("_display",),
    "algorithms": ("algorithms",),
    "service": ("local.server", "local.http_server", "local.__init__"),
    "emulator": ("local.emulator",),
    "service api": ("local.api",),
    "scheduling": ("local.scheduler", "local.tensorboard", "local.working_directories"),
    "places": ("local.places",),
    "runtime": ("local.runtime",),
    "store": ("local.store",),
    "machine": ("local.daemon", "local.catalog", "local.hardware", "local.paths", "local.locks",
                "local.processes", "local.files", "local.home_watch", "local.interpreters",
                "local.interpreter_facts", "local.environments", "local.connection_limits",
                "local.installation", "local.ports", "local.shortages", "local.stepping",
                "local.layout", "local.pythons", "local.environment_plan", "local.service_address",
                "local.service_start"),
}  # fmt: skip

# From left to right: a layer may import itself and all that are to its right.
SDK = ("cli", "moxing", "public", "jobs", "submit", "session", "obs", "api", "auth", "transport", "settings", "wire",
       "errors", "version")  # fmt: skip
LOCAL = ("service", "emulator", "service api", "scheduling", "places", "runtime", "store", "machine")

# What each layer may import when it is imported itself: layers, or modules of one.
MAY = {
    **{layer: {*SDK[place:]} for place, layer in enumerate(SDK)},
    "cli": {*SDK, "_display.terminal"},  # every command prints
    "moxing": {"moxing"},  # jobs import it without this package
    "moxing cloud": {"moxing", "obs", "errors"},
    "obs": {*SDK[SDK.index("obs"):]} - {"api"},
    "display": {"display", "wire", "errors"},
    "algorithms": {"algorithms", *SDK[2:]},  # they run in a job, as a user's own scripts do
    **{layer: {*LOCAL[place:], "wire", "settings", "_obs.paths", "errors", "version"}
       for place, layer in enumerate(LOCAL)},
}  # fmt: skip

# What it may import later, inside a function: what is costly, and the service on this machine.
MAY_LATER = {
    "cli": {"display", "local"},
    "moxing": {"moxing cloud", "session", "obs", "auth", "transport", "settings", "errors"},
    "public": {"display"},
    "jobs": {"display"},
    "submit": {"display"},
    "session": {"local"},
    "obs": {"display"},
    "transport": {"display"},
}


def layer_of(module: str) -> str:
    """The layer of a module below `modelarts`; a `KeyError` says that it has none."""
    found = [(len(name), layer) for layer, names in LAYERS.items() for name in names
             if _is_below(module, name) or name == f"{module}.__init__"]  # fmt: skip
    if not found:
        raise KeyError(f"modelarts.{module} has no layer: give it one in LAYERS")
    return max(found)[1]


def _is_below(module: str, name: str) -> bool:
    return f"{module}.".startswith(f"{name}.")


def wrong_imports(module: str, source: str) -> list[str]:
    """The imports of a module below `modelarts` that go against the rules."""
    layer = layer_of(module)
    return [
        f"modelarts.{module}:{line}: {layer} may not import modelarts.{imported}{' at once' if at_once else ''}"
        for line, imported, at_once in _imports(module, ast.parse(source))
        if not _covers(MAY[layer], imported) and (at_once or not _covers(MAY_LATER.get(layer, set()), imported))
    ]


def _covers(allowed: set[str], imported: str) -> bool:
    return any(_is_below(imported, name) for name in allowed) or layer_of(imported) in allowed


def _imports(module: str, tree: ast.AST, at_once: bool = True) -> Iterator[tuple[int, str, bool]]:
    """Line, imported module below `modelarts`, and whether it is imported together with the importing one."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for alternative in node.orelse:
                yield from _imports(module, ast.Module([alternative], []), at_once)
        elif isinstance(node, (ast.Import, ast.ImportFrom, ast.Call)):
            for name in _names(module, node):
                if name == "modelarts" or name.startswith("modelarts."):
                    yield node.lineno, name.partition(".")[2] or "__init__", at_once
        later = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            yield from _imports(module, node, at_once and not later)


def _names(module: str, node: ast.AST) -> list[str]:
    """The full names of the modules that a node imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        above = ["modelarts", *module.split(".")][: -node.level] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        return [f"{base}.{alias.name}" if _is_module(f"{base}.{alias.name}") else base for alias in node.names]
    if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module":
        return [argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant)]
    return []


def _is_module(name: str) -> bool:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def modules() -> list[str]:
    """All modules below `modelarts`; a package is its `__init__`."""
    return sorted(".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in PACKAGE.rglob("*.py"))


def source_of(module: str) -> str:
    return PACKAGE.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")


def test_a_module_imports_only_what_its_layer_may():
    assert [fault for module in modules() for fault in wrong_imports(module, source_of(module))] == []


def test_every_module_of_the_table_is_there():
    names = [name for names in LAYERS.values() for name in names]

    assert [name for name in names if not _is_module(f"modelarts.{name}")] == []


PROCESSES = {"psutil", "signal", "subprocess"}
KNOW_NO_PROCESSES = ["local.scheduler", *(name for name in modules() if name.startswith(("local.api", "local.store")))]


@pytest.mark.parametrize("module", KNOW_NO_PROCESSES)
def test_what_schedules_and_answers_knows_places_by_their_interface_alone(module: str):
    tree = ast.parse(source_of(module))
    of_package = {imported for _, imported, _ in _imports(module, tree)}
    of_others = {name.split(".")[0] for node in ast.walk(tree) for name in _names(module, node)}

    assert {name for name in of_package if _is_below(name, "local.places")} <= {"local.places.base"}
    assert "local.processes" not in of_package
    assert not of_others & PROCESSES
    if module == "local.scheduler":
        assert "local.locks" not in of_package
        assert not of_others & {"fcntl", "os"}


SIGNALS = ("kill", "killpg", "send_signal", "terminate")


def signals_to_others(source: str) -> list[str]:
    if not any(f".{name}" in source for name in SIGNALS):  # sooner known than parsed
        return []
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    signals = [node for node in calls if getattr(node.func, "attr", "") in SIGNALS]
    to_itself = [node for node in signals if node.args and ast.unparse(node.args[0]) == "os.getpid()"]
    return [ast.unparse(node) for node in signals if node not in to_itself]


def test_other_processes_are_signalled_only_where_their_start_time_is_compared():
    found = {module: signals_to_others(source_of(module)) for module in modules() if module != "local.processes"}

    assert {module: signals for module, signals in found.items() if signals} == {}


# --- the rules themselves

GOOD = [
    ("cli.jobs", "from modelarts.estimator import Estimator"),
    ("cli.service", "def start():\n    from modelarts.local import daemon"),
    ("estimator", "from modelarts._submit.v1 import payload\nfrom modelarts.session import Session"),
    ("job", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from modelarts.local.store import Store"),
    ("_jobs.follow", "def show():\n    from modelarts._display.screen import Screen"),
    ("session", "class Session:\n    def local(self):\n        from modelarts.local import daemon"),
    ("session", "from modelarts._api.client import Client\nfrom modelarts._settings import table"),
    ("_api.client", "from modelarts import errors\nimport modelarts._wire.v1.routes"),
    ("_obs.local.buckets", "from ..paths import ObsPath"),
    ("_wire.json_records", "from modelarts.errors import Fault\nimport json, requests"),
    ("local.server", "from modelarts import __version__, errors\nfrom modelarts._settings import table"),
    ("local.api.handlers.logs", "from modelarts._obs.paths import ObsPath\nfrom ...store import Store"),
    ("algorithms.forest", "from modelarts.session import Session"),
]
BAD = [
    ("errors", "from modelarts._wire.v1 import status", "modelarts._wire.v1.status"),
    ("_wire.v1.routes", "import modelarts._settings.table", "modelarts._settings.table"),
    ("_wire.v1.routes", "def f():\n    from modelarts import _settings", "modelarts._settings"),
    ("_settings.table", "from modelarts._api.client import Client", "modelarts._api.client"),
    ("_api.client", "from modelarts import errors, session", "modelarts.session"),
    ("_transport.response", "from modelarts._display.notebook import response_html",
     "modelarts._display.notebook at once"),
    ("_api.catalog", "def f():\n    import modelarts.estimator", "modelarts.estimator"),
    ("_obs.cloud.client", "from modelarts._api.client import Client", "modelarts._api.client"),
    ("_obs.local.buckets", "from ...job import TrainingJob", "modelarts.job"),
    ("_submit.recovery", "from modelarts._jobs import follow", "modelarts._jobs.follow"),
    ("session", "from modelarts.estimator import Estimator", "modelarts.estimator"),
    ("session", "from modelarts.local import daemon", "modelarts.local.daemon at once"),
    ("session", "class Session:\n    from modelarts.local import daemon", "modelarts.local.daemon at once"),
    ("session", "try:\n    import modelarts.local\nexcept ImportError:\n    pass", "modelarts.local at once"),
    ("estimator", "def f():\n    from modelarts.local import daemon", "modelarts.local.daemon"),
    ("_jobs.follow", "from modelarts._display.screen import Screen", "modelarts._display.screen at once"),
    ("_jobs.listing", "from modelarts.job import TrainingJob", "modelarts.job"),
    ("job", "if TYPE_CHECKING:\n    pass\nelse:\n    import modelarts.cli.main", "modelarts.cli.main at once"),
    ("cli.main", "from modelarts.local import daemon", "modelarts.local.daemon at once"),
    ("local.api.app", "from modelarts._api.client import Client", "modelarts._api.client"),
    ("local.api.app", "def f():\n    from modelarts.session import Session", "modelarts.session"),
    ("local.api.app", "from modelarts._obs.local.buckets import LocalBuckets", "modelarts._obs.local.buckets"),
    ("local.api.app", "from modelarts._obs import local", "modelarts._obs.local"),
    ("local.api.app", "from modelarts.local.emulator import tls_server", "modelarts.local.emulator.tls_server"),
    ("local.store.jobs", "from modelarts.local import scheduler", "modelarts.local.scheduler"),
    ("local.api.handlers.logs", "from ...._submit.v1.payload import build", "modelarts._submit.v1.payload"),
    ("local.api.app", "import importlib\nimportlib.import_module('modelarts.job')", "modelarts.job"),
    ("_display.screen", "from modelarts.job import TrainingJob", "modelarts.job"),
]


@pytest.mark.parametrize(("module", "source"), GOOD)
def test_imports_to_the_right_pass(module: str, source: str):
    assert wrong_imports(module, source) == []


@pytest.mark.parametrize(("module", "source", "imported"), BAD)
def test_an_import_against_the_direction_is_found(module: str, source: str, imported: str):
    (fault,) = wrong_imports(module, source)

    assert f"may not import {imported}" in fault


def test_a_module_without_a_layer_is_found():
    with pytest.raises(KeyError, match=r"modelarts\._utils has no layer: give it one in LAYERS"):
        wrong_imports("_utils", "")
