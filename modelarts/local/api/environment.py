"""The environment of a job: a member of bodies that is our own, no document has it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from modelarts.local.api.checks import shown
from modelarts.local.api.errors import bad_value
from modelarts.local.environment_plan import NoEnvironment, Planner

MEMBER = "environment"


def environment(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The environment of a body, with all its lists; `None` if there is none."""
    value = body.get(MEMBER)
    if value is None:
        return None
    from modelarts._wire.v1 import packages  # few bodies have one, and its rules would delay the start of the service

    if not isinstance(value, dict) or not {*value} <= {"name", *packages.LISTS}:
        raise bad_value(f"{MEMBER} must be an object with name, {', '.join(packages.LISTS)}")
    if rule := packages.name_problem(value.get("name")):
        raise bad_value(f"{MEMBER}: name must be {rule}")
    lists = {name: value.get(name) for name in packages.LISTS}
    for problem in packages.list_problems(lists)[:1]:
        raise bad_value(f"{MEMBER}: {problem.argument} {shown(problem.value)}: {problem.rule}")
    return {"name": value["name"], **{name: list(given or ()) for name, given in lists.items()}}


def require(planner: Planner, settings: Mapping[str, Any]) -> None:
    """Refuse a job whose environment cannot be created on this machine."""
    wanted = settings.get(MEMBER)
    try:
        planner.plan(wanted, sys.executable)
    except NoEnvironment as error:
        raise bad_value(f"{MEMBER} {wanted and wanted['name']!r} cannot be created: {error}") from None
