"""Hyperparameters of requests: names and values that can become arguments of a process, or environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from modelarts._wire.v1 import limits, variables
from modelarts._wire.v1.parameters import as_text
from modelarts.local.api.checks import shown
from modelarts.local.api.errors import TOO_LONG, ApiFailure, bad_value

_RESERVED = 512 * 1024  # bytes of ARG_MAX for the environment variables and the other arguments


def parameters(value: Any, are_variables: bool) -> list[dict[str, str]]:
    """The member `parameter`, with values as texts; those of custom images become environment variables."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise bad_value("parameter must be a list of objects with label and value")
    result: dict[str, str] = {}
    for item in value:
        label = _label(item)
        if label in result:
            raise bad_value(f"parameter {shown(label)} occurs twice")
        if are_variables and (problem := variables.hyperparameter_problem(label)):
            raise bad_value(f"parameter {shown(label)} {problem}")
        content = as_text(item.get("value"))
        if "\0" in content:
            raise bad_value(f"the value of parameter {shown(label)} must not contain a NUL character")
        check_length(f"parameter {shown(label)}", f"--{label}={content}")
        result[label] = content
    _check_sum(result)
    return [{"label": label, "value": content} for label, content in result.items()]


def check_length(what: str, text: str) -> None:
    """Raise `ApiFailure` for what no process can get as one argument."""
    size = len(text.encode())
    if size > limits.ARGUMENT_BYTES:
        message = f"{what} makes an argument of {size} bytes; the system allows {limits.ARGUMENT_BYTES}"
        raise ApiFailure(TOO_LONG, f"{message}; {limits.TOO_LONG}")


def _label(item: Any) -> str:
    label = item.get("label", item.get("key")) if isinstance(item, dict) else None
    if not isinstance(label, str) or not label:
        raise bad_value("every item of parameter must have a label, a text that is not empty")
    if not limits.PARAMETER_NAME.fullmatch(label):
        raise bad_value(f"the label {shown(label)} of a parameter must be {limits.PARAMETER_NAME_RULE}")
    return label


def _check_sum(texts: Mapping[str, str]) -> None:
    size = sum(len(f"--{name}={text}".encode()) + limits.ARGUMENT_OVERHEAD for name, text in texts.items())
    of_system = os.sysconf("SC_ARG_MAX")  # less than usual where the stack is limited
    most = min(limits.ARGUMENTS_BYTES, max(of_system - _RESERVED, of_system // 2))
    if size > most:
        longest = max(texts, key=lambda name: len(texts[name]))
        message = f"all parameters together take {size} bytes of the command line, of which they may take {most}"
        raise ApiFailure(TOO_LONG, f"{message}; the longest is {shown(longest)}; {limits.TOO_LONG}")
