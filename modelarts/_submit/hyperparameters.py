"""Hyperparameters in both forms, as the list of names and texts of a body: docs/reference/hyperparameters.md."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from modelarts._submit.arguments import Checks
from modelarts._submit.plain_values import NoText
from modelarts._submit.value_text import as_text
from modelarts._wire.json_records import TEXT_RULE, unencodable_text
from modelarts._wire.v1 import limits, parameters, variables
from modelarts.errors import shortened

logger = logging.getLogger("modelarts")

ARGUMENT = "hyperparameters"
_MEMBERS = ("label", "key", "value")
_UNUSABLE = re.compile(r"[\s\x00-\x1f\x7f]+")


def rows(hyperparameters: Any, checks: Checks) -> list[dict[str, str]]:
    """The hyperparameters as documented: `[{"label": …, "value": …}, …]`.

    Args:
        hyperparameters: as the user passed them.
        checks: gets the problems. They name types instead of values, which may be secrets.
    """
    texts: dict[str, str] = {}
    for label, value in _pairs(hyperparameters, checks):
        if problem := _name_problem(label):
            checks.problem(ARGUMENT, label, problem)
            continue
        name = str.__str__(label)
        if name in texts:
            checks.problem(ARGUMENT, label, "is there twice; keep one")
        try:
            texts[name] = as_text(value)
        except NoText as error:
            checks.problem(ARGUMENT, {name: type(value)}, str(error))
    _check_lengths(texts, checks)
    return [{"label": name, "value": text} for name, text in texts.items()]


def check_variables(rows: Sequence[Mapping[str, str]], checks: Checks) -> None:
    """Check names that become environment variables, as those of custom images do (modelarts_03_0045)."""
    for name in [row["label"] for row in rows]:
        if problem := variables.hyperparameter_problem(name):
            checks.problem(ARGUMENT, name, problem)


def warn_of_names_of_the_engine(rows: Sequence[Mapping[str, str]], engine: str, nodes: int) -> None:
    """Say what happens with hyperparameters whose names the engine passes itself."""
    passed = parameters.passed_by_engine(engine, nodes)
    for name in [row["label"] for row in rows if row["label"] in passed]:
        logger.warning(
            "hyperparameter %r: the script gets --%s twice, first from the engine, which passes it by itself, then "
            "yours; argparse takes the last. Leave it out to get the engine's",
            name, name,
        )  # fmt: skip


# --- both forms


class _OtherMembers(ValueError):
    """An item whose members have other names; the message says which are right."""


def _pairs(hyperparameters: Any, checks: Checks) -> list[tuple[Any, Any]]:
    try:
        if isinstance(hyperparameters, Iterator):
            raise ValueError("it can be read only once; pass a list or a dict")
        if isinstance(hyperparameters, Iterable) and not isinstance(hyperparameters, (str, bytes, Mapping)):
            hyperparameters = list(hyperparameters)
            for item in hyperparameters:
                _check_item(item)
        return parameters.pairs(hyperparameters)
    except ValueError as error:
        hints = [] if isinstance(error, _OtherMembers) else _hints(hyperparameters)
        hint = f"; pass {' or '.join(hints)}" if hints else ""
        checks.problem(ARGUMENT, hyperparameters, f"{error}{hint}")
        return []


def _check_item(item: Any) -> None:
    """Raise `_OtherMembers` where name or value seem to have other names; without any value, it is empty."""
    if not isinstance(item, Mapping):
        return
    is_named = "label" in item or "key" in item
    others = [str(name) for name in item if name not in _MEMBERS]
    has_value = any(str(name).lower() == "value" for name in item)
    missing = "value" if is_named and "value" not in item else "label" if has_value and not is_named else ""
    if missing and others:
        (similar,) = difflib.get_close_matches(missing, others, 1, cutoff=0)
        raise _OtherMembers(f"{shortened(item)} has no {missing!r}: write {missing!r} instead of {similar!r}")


def _hints(hyperparameters: Any) -> list[str]:
    """The usual forms of what was passed."""
    if type(hyperparameters).__name__ in ("Namespace", "SimpleNamespace"):
        return ["vars(…) of it"]
    if isinstance(hyperparameters, str):
        return ['a dict such as {"lr": 0.1}']
    items = hyperparameters if isinstance(hyperparameters, list) else []
    if len(items) == 2 and isinstance(items[0], str):
        items = [items]
    for item in items:
        is_pair = isinstance(item, (list, tuple)) and len(item) == 2
        name = item[0] if is_pair else next(iter(item), None) if isinstance(item, Mapping) else None
        if isinstance(name, str) and name not in _MEMBERS:
            return [f'{{"label": {name!r}, "value": …}}', f"one dict {{{name!r}: …}}"]
    return []


# --- names


def _name_problem(label: Any) -> str | None:
    """The rule that a name breaks, with what to write instead."""
    if not isinstance(label, str) or not label.strip():
        return "every name must be a non-empty text"
    if unencodable_text(label):
        return TEXT_RULE
    if limits.PARAMETER_NAME.fullmatch(label):
        return None
    name, _, value = label.strip().lstrip("-").partition("=")
    name = _UNUSABLE.sub("_", name.strip())
    hint = f"; write {name!r}" if limits.PARAMETER_NAME.fullmatch(name) else ""
    if hint and value:
        hint += f", and {value!r} as its value"
    return f"every name must be {limits.PARAMETER_NAME_RULE}{hint}"


# --- lengths


def _check_lengths(texts: Mapping[str, str], checks: Checks) -> None:
    sizes = {name: len(f"--{name}={text}".encode("utf-8", "replace")) for name, text in texts.items()}
    for name, size in sizes.items():
        if size > limits.ARGUMENT_BYTES:
            rule = f"--{name}=… has {size} bytes, and an argument at most {limits.ARGUMENT_BYTES}; {limits.TOO_LONG}"
            checks.problem(ARGUMENT, {name: str}, rule)
    total = sum(sizes.values()) + limits.ARGUMENT_OVERHEAD * len(sizes)
    if total > limits.ARGUMENTS_BYTES:
        longest = sorted(sizes, key=lambda name: -sizes[name])[:3]
        rule = (f"together they take {total} bytes of the command line, and may take {limits.ARGUMENTS_BYTES}; the "
                f"longest are {', '.join(longest)}; {limits.TOO_LONG}")  # fmt: skip
        checks.problem(ARGUMENT, f"{len(sizes)} of them", rule)
