"""Members that several responses have in common; those without a value are null, as in the documents' samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelarts.local.catalog import Catalog

_COPIED = (
    "worker_server_num", "app_url", "boot_file_url", "model_id", "parameter", "spec_id", "data_url", "dataset_id",
    "dataset_version_id", "data_source", "engine_id", "train_url", "log_url", "user_image_url", "user_command",
    "pool_id", "volumes", "nas_type", "nas_share_addr", "nas_mount_path",
)  # fmt: skip
_OWN = ("environment_variables", "environment")  # members that no document has, in replies to those who use them


def shared_members(catalog: Catalog, body: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a configuration or a version."""
    engine = catalog.engines.get(body["engine_id"] or 0, {})
    spec = catalog.specs.get(body["spec_id"] or 0, {})
    return {
        **{member: body[member] for member in _COPIED},
        **{member: body[member] for member in _OWN if body.get(member)},
        "data_source": _sources(body["data_source"]),
        "data_url": body["data_url"] or _first_url(body["data_source"]),
        **{member: engine.get(member) for member in ("engine_type", "engine_name", "engine_version")},
        **{member: spec.get(member) for member in ("spec_code", "core", "cpu", "gpu_num", "gpu_type")},
        "dataset_name": None,
        "dataset_version_name": None,
        "pool_name": None,
    }


def _sources(sources: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    members = ("type", "data_url", "dataset_id", "dataset_version")
    return sources and [{member: source.get(member) for member in members} for source in sources]


def _first_url(sources: list[dict[str, Any]] | None) -> str:
    return str(sources[0].get("data_url") or "") if sources else ""
