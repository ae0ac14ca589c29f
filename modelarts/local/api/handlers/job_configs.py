"""Saved training settings: training-job-configs."""

from __future__ import annotations

from typing import Any

from modelarts.local.api import checks
from modelarts.local.api.errors import bad_value, missing, name_taken
from modelarts.local.api.handlers.context import Answer, Call
from modelarts.local.api.handlers.serializers import shared_members
from modelarts.local.api.training_settings import TrainingSettings
from modelarts.local.store import NameInUse
from modelarts.local.store.records import Config

SORTS = ("config_name", "config_desc", "create_time")


def create(call: Call) -> Answer:
    body = checks.body_of(call.body)
    name = checks.name(body, "config_name")
    description, config = _checked(call, body)
    try:
        call.store.configs.add(name, description, config)
    except NameInUse:
        raise name_taken("Config", name) from None
    return {}


def get(call: Call) -> Answer:
    sample = _is_sample(call)
    config = call.store.configs.get(call.path["config_name"])
    if config is None or sample:
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
    if not call.store.configs.replace(call.path["config_name"], description, config):
        raise missing(f"configuration {call.path['config_name']!r}")
    return {}


def listed(call: Call) -> Answer:
    """Sample configurations are the cloud's own: here there are none."""
    sample = _is_sample(call)
    page = call.page(SORTS, "config_name", "desc")
    if sample and page.sort == "create_time":
        raise bad_value("sortBy create_time is not allowed with config_type sample")
    total, configs = (0, []) if sample else call.store.configs.page(page)
    return {"config_total_count": total, "configs": [_row(call, config) for config in configs]}


def delete(call: Call) -> Answer:
    if not call.store.configs.delete(call.path["config_name"]):
        raise missing(f"configuration {call.path['config_name']!r}")
    return {}


def _is_sample(call: Call) -> bool:
    return call.choice("config_type", "custom", ("custom", "sample")) == "sample"


def _row(call: Call, config: Config) -> Answer:
    members = shared_members(call.service.catalog, config.body)
    shown = ("engine_type", "engine_name", "engine_id", "engine_version", "user_image_url", "user_command")
    return {
        "config_name": config.name,
        "config_desc": config.description,
        "create_time": config.create_time,
        **{member: members[member] for member in shown},
    }


def _checked(call: Call, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    config = TrainingSettings(call.service.catalog).normalize(body, for_job=False)
    return checks.description(body, "config_desc"), config
