"""The input data of a training: an OBS path, a dataset, or a list of sources; at most one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelarts._submit.arguments import Call, Checks
from modelarts._submit.checks import is_missing, json_list, text
from modelarts._wire.v1 import limits


class DataChoice:
    """Builds the members of a body that name input data.

    Args:
        required: whether there must be some; a configuration may leave them out.
    """

    def __init__(self, call: Call, checks: Checks, required: bool) -> None:
        self.call = call
        self.checks = checks
        self.required = required

    def members(self) -> dict[str, Any]:
        """The members for input data."""
        call = self.call
        dataset = call.dataset_id is not None or call.dataset_version_id is not None
        if dataset:
            for argument, partner in (("dataset_id", "dataset_version_id"), ("dataset_version_id", "dataset_id")):
                if not getattr(call, argument):
                    self.checks.problem(argument, getattr(call, argument), f"belongs to {partner}; pass both")
        kinds = {"inputs": call.inputs is not None, "dataset_id": dataset, "data_source": call.data_source is not None}
        found = [name for name, is_set in kinds.items() if is_set]
        if len(found) > 1:
            self.checks.problem(found[0], getattr(call, found[0]),
                       f"excludes {' and '.join(found[1:])}; pass one kind of input data")  # fmt: skip
        if not found and self.required:
            rule = "input data are required: pass inputs, or dataset_id and dataset_version_id, or data_source"
            self.checks.problem("inputs", None, rule)
        if not found:
            return {"enable_check": False}  # without it the service refuses a configuration that names no data
        if dataset:
            return {"dataset_id": str(call.dataset_id), "dataset_version_id": str(call.dataset_version_id)}
        if call.inputs is not None:
            path = self.checks.data("inputs", call.inputs)
            return {"data_url": path.api} if path else {}
        return {"data_source": self._data_source()}

    def _data_source(self) -> list[dict[str, Any]]:
        sources = self.call.data_source
        if not isinstance(sources, Sequence) or isinstance(sources, (str, bytes)) or not sources:
            rule = 'a list of {"type": "obs", "data_url": …} or {"type": "dataset", …}'
            self.checks.problem("data_source", sources, rule)
            return []
        kinds = {_type(item) for item in sources} & {*limits.DATA_SOURCE_TYPES}
        if len(kinds) > 1:
            self.checks.problem("data_source", sources, "obs and dataset cannot be mixed in one list")
        found = [self._source(item) for item in sources]
        if not self.checks.problems and (problem := json_list("data_source", found)):
            self.checks.problems.append(problem)
        return found

    def _source(self, item: Any) -> dict[str, Any]:
        kind = _type(item)
        if kind not in limits.DATA_SOURCE_TYPES:
            rule = "every item must be a dict whose type is 'obs' or 'dataset'"
            self.checks.problem("data_source", item, rule)
            return {}
        if kind == "dataset":
            ids = (item.get("dataset_id"), item.get("dataset_version", item.get("dataset_version_id")))
            if any(is_missing(value) or text("data_source", value) for value in ids):
                self.checks.problem("data_source", item, "type 'dataset' needs dataset_id and dataset_version")
            if not is_missing(item.get("data_url")):
                self.checks.problem("data_source", item, "data_url excludes dataset_id and dataset_version")
            return dict(item)
        if is_missing(item.get("data_url")):
            self.checks.problem("data_source", item, "type 'obs' needs data_url")
            return {}
        path = self.checks.obs_path("data_source", item["data_url"])
        return {**item, "data_url": path.api} if path else {}


def _type(item: Any) -> str | None:
    kind = item.get("type") if isinstance(item, Mapping) else None
    return kind if isinstance(kind, str) else None
