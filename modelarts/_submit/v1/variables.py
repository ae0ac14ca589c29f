"""Environment variables of a job, which only the local service takes: no v1 document has them."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelarts._wire.v1 import parameters, variables
from modelarts.errors import ArgumentProblem

if TYPE_CHECKING:
    from modelarts._submit.training import Training

_CLOUD = (
    "the v1 API of the cloud has no environment variables; pass hyperparameters, or let the script set os.environ. "
    "The local service takes them"
)


def problems(training: Training) -> list[ArgumentProblem]:
    """What is wrong with the variables. Problems name a variable, never its value, which may be secret."""
    given = training.environment_variables
    if given is None or (isinstance(given, Mapping) and not given):
        return []
    if not isinstance(given, Mapping):
        return [_problem(type(given), "a dict of names and values, or None")]
    if not training._session.client.endpoint.extended:
        return [_problem(list(given), _CLOUD)]
    found = [_problem(name, rule) for name, value in given.items() if (rule := _broken_rule(name, value))]
    rule = "" if found else variables.length_problem(texts(training).items())
    return [_problem(list(given), rule)] if rule else found


def texts(training: Training) -> dict[str, str]:
    """The variables as texts."""
    return {name: parameters.as_text(value) for name, value in (training.environment_variables or {}).items()}


def _broken_rule(name: Any, value: Any) -> str:
    if not isinstance(name, str):
        return f"the name of an environment variable has {variables.NAME_RULE}"
    if not isinstance(value, (str, bool, numbers.Number)):
        return "the value of an environment variable is a text or a number"
    return variables.problem(name, parameters.as_text(value))


def _problem(value: Any, rule: str) -> ArgumentProblem:
    return ArgumentProblem("environment_variables", value, rule)
