"""The environment variables of a job: a member of bodies that is our own, no document has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelarts._wire.v1 import variables
from modelarts.local.api.checks import shown
from modelarts.local.api.errors import bad_value

MEMBER = "environment_variables"


def environment_variables(body: Mapping[str, Any]) -> dict[str, str]:
    """The variables of a body. Messages do not show their values, which may be secret."""
    value = body.get(MEMBER)
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise bad_value(f"{MEMBER} must be an object whose values are texts")
    for name, text in value.items():
        if rule := variables.problem(name, text):
            raise bad_value(f"{MEMBER} {shown(name)}: {rule}")
    if rule := variables.length_problem(value.items()):
        raise bad_value(f"{MEMBER}: {rule}")
    return dict(value)
