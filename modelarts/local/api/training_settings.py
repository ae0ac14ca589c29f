"""The settings that jobs, versions and configurations have in common: every rule of the contract, and one form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelarts._obs.paths import ObsPath
from modelarts._wire.v1 import limits
from modelarts.local.api.checks import boolean, folder, integer, obs_path, output, shown, text
from modelarts.local.api.environment import environment
from modelarts.local.api.errors import bad_value
from modelarts.local.api.parameters import check_length, parameters
from modelarts.local.api.variables import environment_variables
from modelarts.local.catalog import MACHINE_ENGINE, Catalog

_POOL_NODES = 64  # as many as a dedicated pool may have
_TEXTS = ("user_image_url", "user_command", "pool_id", "nas_type", "nas_share_addr", "nas_mount_path")
_DEFAULT_ENGINE = 1  # modelarts_03_0058
_LISTS = {
    "model_id": "/built-in-algorithms", "engine_id": "/job/ai-engines", "spec_id": "/job/resource-specs",
}  # fmt: skip
_MOUNTS = {"nfs": ("id", "src_path", "dest_path"), "host_path": ("src_path", "dest_path")}  # modelarts_03_0045


class TrainingSettings:
    """Checks settings against the contract and a catalog, and returns them in one form."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def normalize(self, body: Any, for_job: bool) -> dict[str, Any]:
        """The settings of a body: parameters with label and text, ids as integers, paths as `/bucket/key`.

        Members that no document names are left out, except `environment_variables` and `environment`, which are our
        own. A job requires data, unless it debugs on this machine; a configuration may do without.
        """
        if not isinstance(body, dict):
            raise bad_value("config must be a JSON object")
        compute, declared = self._compute(body), environment(body)
        if declared and (text(body, "user_image_url") or body.get("model_id") is not None):
            raise bad_value("environment belongs to app_url with boot_file_url, not to an image or an algorithm")
        # What modelarts_04_0222 documents: debugging on this machine, without engine and data if a script needs none.
        is_here = self._catalog.is_debugging(compute)
        is_debugging = declared is not None or is_here
        settings = {
            **self._code(body, is_debugging),
            **compute,
            **_data(body, for_job, is_debugging, is_here),
            "environment": declared,
            "parameter": parameters(body.get("parameter"), are_variables=bool(text(body, "user_image_url"))),
            "train_url": _url(output(body, "train_url", is_here)),
            "log_url": _url(folder(body, "log_url", is_here)),
            "volumes": _volumes(body.get("volumes")),
            "environment_variables": environment_variables(body),
            **{member: text(body, member) or None for member in _TEXTS},
        }
        check_length("user_command", settings["user_command"] or "")
        settings["pool_id"] = settings["pool_id"] or text(body, "poolId") or None  # as older clients spell it
        for member in ("create_version", "enable_check"):
            boolean(body, member, True)
        return settings

    def _code(self, body: Mapping[str, Any], is_debugging: bool) -> dict[str, Any]:
        app_url, boot_file_url = folder(body, "app_url"), obs_path(body, "boot_file_url")
        image = bool(text(body, "user_image_url"))
        if image != bool(text(body, "user_command")):
            raise bad_value("user_image_url and user_command must be given together")
        model_id = self._listed(body, "model_id", self._catalog.algorithms)
        engine_id = self._listed(body, "engine_id", self._catalog.engines)
        if bool(app_url) != bool(boot_file_url) and not image:
            raise bad_value("app_url and boot_file_url must be given together")
        if model_id is None and not image:
            if not app_url:
                raise bad_value("model_id, app_url with boot_file_url, or user_image_url with user_command is required")
            default = self._catalog.engine_named(MACHINE_ENGINE) if is_debugging else _DEFAULT_ENGINE
            engine_id = default if engine_id is None else engine_id
        if app_url and boot_file_url and not app_url.contains(boot_file_url):
            raise bad_value(f"boot_file_url {boot_file_url.api} must be in the folder app_url {app_url.api}")
        urls = {"app_url": _url(app_url), "boot_file_url": _url(boot_file_url)}
        return {**urls, "model_id": model_id, "engine_id": engine_id}

    def _listed(self, body: Mapping[str, Any], member: str, known: Mapping[int, Any]) -> int | None:
        if body.get(member) is None:
            return None
        number = integer(body[member], member)
        if number not in known:
            raise bad_value(f"{member} {number} does not exist; GET {_LISTS[member]} lists those that do")
        return number

    def _compute(self, body: Mapping[str, Any]) -> dict[str, Any]:
        spec_id = self._listed(body, "spec_id", self._catalog.specs)
        flavor = body.get("flavor")
        if spec_id is None and isinstance(flavor, Mapping):
            spec = self._catalog.spec_by_code(str(flavor.get("code")))
            if spec is None:
                code = shown(flavor.get("code"))
                raise bad_value(f"flavor code {code} does not exist; GET {_LISTS['spec_id']} lists those that do")
            spec_id = spec["spec_id"]
        pool = text(body, "pool_id") or text(body, "poolId")
        if spec_id is None and not pool:
            raise bad_value("spec_id or pool_id is required")
        maximum = _POOL_NODES if pool or spec_id is None else self._catalog.specs[spec_id]["max_num"]
        count = integer(body.get("worker_server_num"), "worker_server_num", 1, maximum)
        return {"spec_id": spec_id, "worker_server_num": count}


def _url(path: ObsPath | None) -> str:
    return path.api if path else ""


def _data(body: Mapping[str, Any], for_job: bool, is_debugging: bool, is_here: bool) -> dict[str, Any]:
    for member, partner in (("dataset_id", "dataset_version_id"), ("dataset_version_id", "dataset_id")):
        if text(body, member) and not text(body, partner):
            raise bad_value(f"{member} requires {partner}")
    sources = body.get("data_source")
    data = {
        "data_url": _url(obs_path(body, "data_url", is_here)),
        "dataset_id": text(body, "dataset_id") or None,
        "dataset_version_id": text(body, "dataset_version_id") or None,
        "data_source": None if sources is None else _sources(sources),
    }
    given = sum(1 for kind in ("data_url", "dataset_id", "data_source") if data[kind])
    if given > 1:
        raise bad_value("only one of data_url, dataset_id with dataset_version_id, and data_source may be given")
    if not given and (for_job or body.get("enable_check") is not False) and not is_debugging:
        raise bad_value("one of data_url, dataset_id with dataset_version_id, and data_source is required")
    return data


def _sources(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise bad_value("data_source must be a list of objects")
    sources = [_source(item) for item in value]
    if len({source["type"] for source in sources}) > 1:
        raise bad_value("all items of data_source must have the same type")
    return sources


def _source(item: Any) -> dict[str, Any]:
    if not isinstance(item, dict) or item.get("type") not in limits.DATA_SOURCE_TYPES:
        raise bad_value("every item of data_source must have the type obs or dataset")
    dataset_id, url = text(item, "dataset_id"), _url(obs_path(item, "data_url"))
    version = text(item, "dataset_version") or text(item, "dataset_version_id")
    if item["type"] == "obs":
        if not url or dataset_id or version:
            raise bad_value("an item of data_source of type obs must have data_url and no dataset")
        return {"type": "obs", "data_url": url}
    if url or not dataset_id or not version:
        raise bad_value("an item of data_source of type dataset must have dataset_id, dataset_version and no data_url")
    return {"type": "dataset", "dataset_id": dataset_id, "dataset_version": version}


def _volumes(value: Any) -> list[dict[str, Any]] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise bad_value("volumes must be a list of objects")
    return [{kind: _mount(kind, item[kind]) for kind in _MOUNTS if item.get(kind) is not None} for item in value]


def _mount(kind: str, value: Any) -> dict[str, Any]:
    members = {member: text(value, member) for member in _MOUNTS[kind]} if isinstance(value, dict) else {"": ""}
    if not all(members.values()):
        raise bad_value(f"{kind} of a volume must be an object with {', '.join(_MOUNTS[kind])}")
    return {**members, "read_only": boolean(value, "read_only", False)}
