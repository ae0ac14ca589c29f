"""Every documented class, method, argument and default exists under its documented name (sdk_surface.json)."""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from modelarts._obs.local.buckets import LocalBuckets
from modelarts.estimator import Estimator
from modelarts.job import TrainingJob
from modelarts.session import Session
from modelarts.visualization import VisualizationJob

SURFACE = json.loads(Path(__file__).with_name("contract").joinpath("sdk_surface.json").read_text(encoding="utf-8"))
CLASSES = {row["name"]: row for row in SURFACE["classes"]}
UNNAMED = {"session.obs": LocalBuckets, "TrainingJob": TrainingJob}  # what the documents never import


def class_of(row: dict[str, Any]) -> type:
    """The class under its documented import path."""
    if row["name"] in UNNAMED:
        return UNNAMED[row["name"]]
    module = row["import"].split()[1]
    return getattr(importlib.import_module(module), row["name"])


def arguments_of(signature: str) -> dict[str, Any]:
    """Names and defaults of a documented call; arguments without a default map to `inspect.Parameter.empty`."""
    call = ast.parse(signature, mode="eval").body
    assert isinstance(call, ast.Call)
    names = {argument.id: inspect.Parameter.empty for argument in call.args if isinstance(argument, ast.Name)}
    names.update({item.arg: ast.literal_eval(item.value) for item in call.keywords if item.arg})
    return names


METHODS = [(row["name"], method) for row in SURFACE["classes"] for method in row["methods"]]


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_has_its_documented_import_path(name):
    assert inspect.isclass(class_of(CLASSES[name]))


@pytest.mark.parametrize(("owner", "method"), METHODS, ids=[f"{name}.{method['name']}" for name, method in METHODS])
def test_every_method_takes_its_documented_arguments_in_order(owner, method):
    function = getattr(class_of(CLASSES[owner]), method["name"])
    parameters = inspect.signature(function).parameters
    positional = [name for name, item in parameters.items()
                  if name not in ("self", "cls") and item.kind is item.POSITIONAL_OR_KEYWORD]  # fmt: skip
    documented = arguments_of(method["signature"])

    assert positional[: len(documented)] == list(documented)
    for name, default in documented.items():
        if default is not inspect.Parameter.empty:
            assert parameters[name].default == default, name


@pytest.mark.parametrize(("owner", "method"), METHODS, ids=[f"{name}.{method['name']}" for name, method in METHODS])
def test_calls_on_the_class_need_no_object(owner, method):
    kind = inspect.getattr_static(class_of(CLASSES[owner]), method["name"])

    assert isinstance(kind, (staticmethod, classmethod)) == (method["call"] == "class")


@pytest.mark.parametrize("sortable", [name for _, name in METHODS if "sort_by" in name["signature"]],
                         ids=lambda method: method["name"])  # fmt: skip
def test_lists_take_both_spellings_of_the_sort_field(sortable):
    owner = next(name for name, method in METHODS if method is sortable)
    parameters = inspect.signature(getattr(class_of(CLASSES[owner]), sortable["name"])).parameters

    assert {"sortBy", "sort_by"} <= set(parameters)


def test_constructors_take_every_documented_argument():
    for name, row in CLASSES.items():
        parameters = inspect.signature(class_of(row)).parameters
        for constructor in row.get("constructors", ()):
            missing = {item["name"] for item in constructor["params"]} - set(parameters)
            assert not missing, (name, missing)


def test_the_arguments_of_an_estimator_have_their_documented_order():
    documented = list(arguments_of(CLASSES["Estimator"]["constructors"][0]["signature"]))

    assert list(inspect.signature(Estimator).parameters)[: len(documented)] == documented


def test_documented_samples_pass_credentials_by_keyword_or_in_order():
    assert list(inspect.signature(Session).parameters)[:4] == ["access_key", "secret_key", "project_id", "region_name"]


# --- documentation of the calls

DOCUMENTED = (Estimator, TrainingJob, VisualizationJob)
CALLS = sorted(
    {f"{owner.__name__}.{name}": getattr(owner, name) for owner in DOCUMENTED for name in dir(owner)
     if not name.startswith("_") and callable(getattr(owner, name))}.items()
)  # fmt: skip


@pytest.mark.parametrize(("name", "call"), CALLS, ids=[name for name, _ in CALLS])
def test_a_call_documents_its_arguments_its_result_and_its_errors(name: str, call: Any):
    text = inspect.getdoc(call) or ""
    arguments = [item for item in inspect.signature(call).parameters if item != "self"]
    sections = text.split("\n\n")
    documented = next((section for section in sections if section.startswith("Args:")), "")

    assert [argument for argument in arguments if not re.search(rf"\b{argument}\b[^:\n]*:", documented)] == []
    assert any(section.startswith("Returns:") for section in sections)
    assert any(section.startswith("Raises:") for section in sections) or name == "Estimator.get_built_in_algorithms"


@pytest.mark.parametrize("owner", DOCUMENTED)
def test_a_class_documents_the_arguments_of_its_constructor(owner: type):
    text = inspect.getdoc(owner) or ""

    for argument in inspect.signature(owner).parameters:
        assert re.search(rf"\b{argument}\b[^:\n]*: \S", text), argument


@pytest.mark.parametrize(("name", "call"), CALLS, ids=[name for name, _ in CALLS])
def test_arguments_have_types_that_a_reader_of_help_can_look_up(name: str, call: Any):
    """Built-in ones, those of the standard library, and public classes: no aliases."""
    known = {*dir(builtins), "os", "PathLike", "Any", "Mapping", "Session"}
    for item in inspect.signature(call).parameters.values():
        if item.annotation is not inspect.Parameter.empty:
            assert {*re.findall(r"[A-Za-z_]+", str(item.annotation))} <= known, item
