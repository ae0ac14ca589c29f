"""The service's own checks of bodies, independent of the SDK's: every rule of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelarts._obs.paths import ObsPath
from modelarts._wire.json_records import as_integer
from modelarts._wire.v1 import limits
from modelarts._wire.v1.parameters import as_text
from modelarts._wire.v1.status import JOB_STATE
from modelarts.local.api.errors import bad_value
from modelarts.local.catalog import Catalog

_TEXTS = ("user_image_url", "user_command", "pool_id", "nas_type", "nas_share_addr", "nas_mount_path")
_DEFAULT_ENGINE = 1  # modelarts_03_0058
_MOUNTS = {"nfs": ("id", "src_path", "dest_path"), "host_path": ("src_path", "dest_path")}  # modelarts_03_0045


def body_of(value: Any) -> dict[str, Any]:
    """A request body, which must be a JSON object."""
    if not isinstance(value, dict):
        raise bad_value("the body must be a JSON object")
    return value


def name(body: Mapping[str, Any], member: str) -> str:
    value = body.get(member)
    if not isinstance(value, str) or not limits.NAME.fullmatch(value):
        raise bad_value(f"{member} must be {limits.NAME_RULE}, got {_shown(value)}")
    return value


def description(body: Mapping[str, Any], member: str, needed: bool = False) -> str:
    value = body.get(member)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or len(value) > limits.DESCRIPTION_LENGTH:
        raise bad_value(f"{member} must be a text of 0 to {limits.DESCRIPTION_LENGTH} characters")
    return value


def text(body: Mapping[str, Any], member: str, default: str = "") -> str:
    value = body.get(member)
    if value is None:
        return default
    if not isinstance(value, str) or "\0" in value:
        raise bad_value(f"{member} must be a text, got {_shown(value)}")
    return value


def integer(value: Any, member: str, least: int = 0, most: int = 2**63 - 1) -> int:
    number = as_integer(value)
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
        upper = "" if most == 2**63 - 1 else f" to {most}"
        raise bad_value(f"{member} must be a whole number from {least}{upper}, got {_shown(value)}")
    return number


def flag(body: Mapping[str, Any], member: str, default: bool) -> bool:
    value = body.get(member)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise bad_value(f"{member} must be true or false, got {_shown(value)}")
    return value


def statuses(text: str) -> set[int]:
    """A status filter: a number or a name, or several joined by a vertical bar."""
    return {_status(item.strip()) for item in text.split("|")} if text.strip() else set()


def _status(item: str) -> int:
    number = as_integer(item)
    if isinstance(number, int) and 0 <= number < len(JOB_STATE):
        return number
    for number, name in enumerate(JOB_STATE):
        if item.upper() in (name, name.replace("JOBSTAT_", "", 1)):
            return number
    raise bad_value(f"status must be a number from 0 to {len(JOB_STATE) - 1} or a status name, got {_shown(item)}")


class TrainingChecks:
    """Checks the members that jobs, versions and configurations share, and returns them normalized."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def config(self, body: Any, for_job: bool) -> dict[str, Any]:
        """The settings in one spelling: `parameter` with labels and texts, ids as integers, paths as `/bucket/key`.

        Members that no document names are left out.
        """
        if not isinstance(body, dict):
            raise bad_value("config must be a JSON object")
        config = {
            **self._code(body),
            **self._compute(body),
            **self._data(body, for_job),
            "parameter": _parameters(body.get("parameter")),
            "train_url": folder(body, "train_url"),
            "log_url": folder(body, "log_url"),
            "volumes": _volumes(body.get("volumes")),
            **{member: text(body, member) or None for member in _TEXTS},
        }
        config["pool_id"] = config["pool_id"] or text(body, "poolId") or None  # as older clients spell it
        for member in ("create_version", "enable_check"):
            flag(body, member, True)
        return config

    def _code(self, body: Mapping[str, Any]) -> dict[str, Any]:
        app_url, boot_file_url = folder(body, "app_url"), _path(body, "boot_file_url")
        image = bool(text(body, "user_image_url"))
        if image != bool(text(body, "user_command")):
            raise bad_value("user_image_url and user_command go together")
        model_id = self._listed(body, "model_id", self._catalog.algorithms)
        engine_id = self._listed(body, "engine_id", self._catalog.engines)
        if bool(app_url) != bool(boot_file_url) and not image:
            raise bad_value("app_url and boot_file_url go together")
        if model_id is None and not image:
            if not app_url:
                raise bad_value("model_id, app_url with boot_file_url, or user_image_url with user_command is needed")
            engine_id = _DEFAULT_ENGINE if engine_id is None else engine_id
        if app_url and boot_file_url and not ObsPath.parse(app_url).contains(ObsPath.parse(boot_file_url)):
            raise bad_value(f"boot_file_url {boot_file_url} must lie in app_url {app_url}")
        return {"app_url": app_url, "boot_file_url": boot_file_url, "model_id": model_id, "engine_id": engine_id}

    def _listed(self, body: Mapping[str, Any], member: str, known: Mapping[int, Any]) -> int | None:
        if body.get(member) is None:
            return None
        number = integer(body[member], member)
        if number not in known:
            raise bad_value(f"{member} {number} is not offered; the list calls name what is")
        return number

    def _compute(self, body: Mapping[str, Any]) -> dict[str, Any]:
        spec_id = self._listed(body, "spec_id", self._catalog.specs)
        flavor = body.get("flavor")
        if spec_id is None and isinstance(flavor, Mapping):
            spec = self._catalog.spec_by_code(str(flavor.get("code")))
            if spec is None:
                raise bad_value(f"flavor code {_shown(flavor.get('code'))} is not offered")
            spec_id = spec["spec_id"]
        if spec_id is None and not (text(body, "pool_id") or text(body, "poolId")):
            raise bad_value("spec_id or pool_id is needed")
        most = self._catalog.specs[spec_id]["max_num"] if spec_id is not None else 64
        count = integer(body.get("worker_server_num"), "worker_server_num", 1, most)
        return {"spec_id": spec_id, "worker_server_num": count}

    def _data(self, body: Mapping[str, Any], for_job: bool) -> dict[str, Any]:
        for member, partner in (("dataset_id", "dataset_version_id"), ("dataset_version_id", "dataset_id")):
            if text(body, member) and not text(body, partner):
                raise bad_value(f"{member} goes with {partner}")
        sources = body.get("data_source")
        data = {
            "data_url": _path(body, "data_url"),
            "dataset_id": text(body, "dataset_id") or None,
            "dataset_version_id": text(body, "dataset_version_id") or None,
            "data_source": None if sources is None else _sources(sources),
        }
        kinds = [data["data_url"], data["dataset_id"], data["data_source"]]
        given = sum(1 for kind in kinds if kind)
        if given > 1:
            raise bad_value("data_url, dataset_id with dataset_version_id, and data_source exclude each other")
        if not given and (for_job or body.get("enable_check") is not False):
            raise bad_value("one of data_url, dataset_id with dataset_version_id, data_source is needed")
        return data


def _parameters(value: Any) -> list[dict[str, str]]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise bad_value("parameter must be a list of objects with label and value")
    result: dict[str, str] = {}
    for item in value:
        label = item.get("label", item.get("key")) if isinstance(item, dict) else None
        if not isinstance(label, str) or not label or "\0" in label:
            raise bad_value("every item of parameter needs a label, a text that is not empty")
        if label in result:
            raise bad_value(f"parameter {label!r} is given twice")
        content = as_text(item.get("value"))
        if "\0" in content:
            raise bad_value(f"parameter {label!r} holds a NUL character")
        result[label] = content
    return [{"label": label, "value": content} for label, content in result.items()]


def _sources(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise bad_value("data_source must be a list of objects")
    sources = [_source(item) for item in value]
    if len({source["type"] for source in sources}) > 1:
        raise bad_value("data_source must not mix obs and dataset")
    return sources


def _source(item: Any) -> dict[str, Any]:
    if not isinstance(item, dict) or item.get("type") not in limits.DATA_SOURCE_TYPES:
        raise bad_value("every item of data_source needs type obs or dataset")
    dataset_id, url = text(item, "dataset_id"), _path(item, "data_url")
    version = text(item, "dataset_version") or text(item, "dataset_version_id")
    if item["type"] == "obs":
        if not url or dataset_id or version:
            raise bad_value("data_source of type obs needs data_url and no dataset")
        return {"type": "obs", "data_url": url}
    if url or not dataset_id or not version:
        raise bad_value("data_source of type dataset needs dataset_id and dataset_version and no data_url")
    return {"type": "dataset", "dataset_id": dataset_id, "dataset_version": version}


def _path(body: Mapping[str, Any], member: str) -> str:
    value = text(body, member)
    if not value:
        return ""
    try:
        return ObsPath.parse(value).api
    except ValueError as error:
        raise bad_value(f"{member} {_shown(value)}: {error}") from None


def folder(body: Mapping[str, Any], member: str) -> str:
    path = _path(body, member)
    return ObsPath.parse(path).as_dir.api if path else ""


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
    return {**members, "read_only": flag(value, "read_only", False)}


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:79] + "…"


