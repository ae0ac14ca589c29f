"""From a saved configuration back to the arguments of an estimator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelarts._api.catalog import ALGORITHMS, ENGINES, SPECS, Catalog
from modelarts._transport.response import Response, bad_member
from modelarts._wire.v1 import parameters
from modelarts._wire.v1.schemas import SAVED_CONFIG

_SAME = ("log_url", "user_image_url", "user_command", "pool_id", "nas_type", "nas_share_addr", "nas_mount_path",
         "volumes", "environment_variables")  # fmt: skip
_DATA = ("dataset_id", "dataset_version_id", "data_source")


def arguments(saved: Response, catalog: Catalog) -> dict[str, Any]:
    """The arguments of an estimator; names that the reply leaves out are looked up by their ids.

    Raises:
        BadReply: a member of the reply is not as documented.
    """
    if wrong := next(SAVED_CONFIG.wrong_members(saved), None):
        raise bad_member(saved, wrong, saved[wrong])
    found = {name: saved[name] for name in _SAME if saved.get(name)}
    found.update(
        train_instance_count=saved.get("worker_server_num"),
        output_path=saved.get("train_url") or None,
        hyperparameters=_hyperparameters(saved),
        data=_data(saved),
    )
    if saved.get("spec_id"):
        found["train_instance_type"] = saved.get("spec_code") or _name(catalog, SPECS, saved, "spec_id", "spec_code")
    if saved.get("model_id") and not saved.get("app_url"):
        found["model_name"] = _name(catalog, ALGORITHMS, saved, "model_id", "model_name")
        return found
    if saved.get("app_url"):
        found.update(code_dir=saved["app_url"], boot_file=saved.get("boot_file_url") or None)
    if saved.get("engine_id") and not found.get("user_image_url"):
        for argument, member in (("framework_type", "engine_name"), ("framework_version", "engine_version")):
            found[argument] = saved.get(member) or _name(catalog, ENGINES, saved, "engine_id", member)
    return found


def _hyperparameters(saved: Response) -> list[dict[str, str]]:
    pairs = parameters.pairs(saved.get("parameter"))
    return [{"label": label, "value": parameters.as_text(value)} for label, value in pairs]


def _data(saved: Response) -> dict[str, Any]:
    found = {name: saved[name] for name in _DATA if saved.get(name)}
    if "data_source" in found:
        found["data_source"] = [_without_nulls(source) for source in found["data_source"]]
    return found if found or not saved.get("data_url") else {"inputs": saved["data_url"]}


def _without_nulls(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _name(catalog: Catalog, kind: str, saved: Mapping[str, Any], id_member: str, name_member: str) -> Any:
    row = catalog.find(kind, lambda row: row.get(id_member) == saved[id_member])
    return None if row is None else row.get(name_member)
