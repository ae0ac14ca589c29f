"""Saved training settings: training-job-configs."""

from __future__ import annotations

from typing import Any

from modelarts.local import checks
from modelarts.local.handlers.context import Answer, Call
from modelarts.local.handlers.members import shared_members
from modelarts.local.refusals import missing, name_taken
from modelarts.local.store import NameInUse


def create(call: Call) -> Answer:
    body = checks.body_of(call.body)
    name = checks.name(body, "config_name")
    description, config = _checked(call, body)
    try:
        call.store.add_config(name, description, config)
    except NameInUse:
        raise name_taken("Config", name) from None
    return {}


def get(call: Call) -> Answer:
    config = call.store.config(call.path["config_name"])
    if config is None:
        raise missing(f"configuration {call.path['config_name']!r}")
    return {
        "config_name": config.name,
        "config_desc": config.description,
        "create_time": config.create_time,
        **shared_members(call.service.catalog, config.body),
    }


def update(call: Call) -> Answer:
    """A PUT replaces: members left out go back to their defaults."""
    body = checks.body_of(call.body)
    description, config = _checked(call, body)
    if not call.store.replace_config(call.path["config_name"], description, config):
        raise missing(f"configuration {call.path['config_name']!r}")
    return {}


def _checked(call: Call, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    config = checks.TrainingChecks(call.service.catalog).config(body, for_job=False)
    return checks.description(body, "config_desc"), config
