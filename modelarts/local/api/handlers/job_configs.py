"""Saved training settings: training-job-configs."""

from __future__ import annotations

from typing import Any

from modelarts.local.api import checks
from modelarts.local.api.errors import bad_value, name_taken, not_found, wrong_state
from modelarts.local.api.handlers.context import Call, ResponseBody
from modelarts.local.api.handlers.serializers import shared_members
from modelarts.local.api.training_settings import TrainingSettings
from modelarts.local.store import NameInUse
from modelarts.local.store.records import Config

SORTS = ("config_name", "config_desc", "create_time")


def create(call: Call) -> ResponseBody:
    body = checks.json_object(call.body)
    name = checks.name(body, "config_name")
    description, config = _settings(call, body)
    try:
        call.store.configs.add(name, description, config)
    except NameInUse:
        raise name_taken("Config", name) from None
    return {}


def get(call: Call) -> ResponseBody:
    sample = _is_sample(call)
    config = call.store.configs.get(call.path["config_name"])
    if config is None or sample:
        raise not_found(f"configuration {call.path['config_name']!r}")
    if config.damage:
        raise wrong_state(f"configuration {config.name!r}: {config.damage}; save it again, or delete it")
    return {
        "config_name": config.name,
        "config_desc": config.description,
        "create_time": config.create_time,
        **shared_members(call.service.catalog, config.body),
    }


def update(call: Call) -> ResponseBody:
    """Replace the settings: members that the body lacks get their defaults."""
    body = checks.json_object(call.body)
    description, config = _settings(call, body)
    if not call.store.configs.replace(call.path["config_name"], description, config):
        raise not_found(f"configuration {call.path['config_name']!r}")
    return {}


def list_page(call: Call) -> ResponseBody:
    """Only the cloud has sample configurations."""
    sample = _is_sample(call)
    page = call.page(SORTS, "config_name", "desc")
    if sample and page.sort == "create_time":
        raise bad_value("sortBy create_time is not allowed with config_type sample")
    total, configs = (0, []) if sample else call.store.configs.page(page)
    return {"config_total_count": total, "configs": [_row(call, config) for config in configs]}


def delete(call: Call) -> ResponseBody:
    if not call.store.configs.delete(call.path["config_name"]):
        raise not_found(f"configuration {call.path['config_name']!r}")
    return {}


def _is_sample(call: Call) -> bool:
    return call.choice("config_type", "custom", ("custom", "sample")) == "sample"


def _row(call: Call, config: Config) -> ResponseBody:
    members = shared_members(call.service.catalog, config.body)
    shown = ("engine_type", "engine_name", "engine_id", "engine_version", "user_image_url", "user_command")
    return {
        "config_name": config.name,
        "config_desc": config.description,
        "create_time": config.create_time,
        **{member: members[member] for member in shown},
    }


def _settings(call: Call, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    config = TrainingSettings(call.service.catalog).normalize(body, for_job=False)
    return checks.description(body, "config_desc"), config
