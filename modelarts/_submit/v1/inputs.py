"""What a training reads: an OBS path, a dataset, or a list of sources; at most one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelarts._submit.arguments import Call, Checks
from modelarts._wire.v1 import limits


class DataChoice:
    """Turns the arguments that name input data into their members of a body.

    Args:
        needed: whether there must be some; a configuration may leave them out.
    """

    def __init__(self, call: Call, checks: Checks, needed: bool) -> None:
        self.call = call
        self.checks = checks
        self.needed = needed

    def members(self) -> dict[str, Any]:
        """The members for input data."""
        call = self.call
        dataset = call.dataset_id is not None or call.dataset_version_id is not None
        if dataset:
            for argument, partner in (("dataset_id", "dataset_version_id"), ("dataset_version_id", "dataset_id")):
                if not getattr(call, argument):
                    self.checks.fault(argument, getattr(call, argument), f"goes with {partner}; give both")
        kinds = {"inputs": call.inputs is not None, "dataset_id": dataset, "data_source": call.data_source is not None}
        given = [name for name, is_given in kinds.items() if is_given]
        if len(given) > 1:
            self.checks.fault(given[0], getattr(call, given[0]),
                       f"excludes {' and '.join(given[1:])}; give one kind of input data")  # fmt: skip
        if not given and self.needed:
            self.checks.fault("inputs", None, "input data are needed: give it, or dataset_id and dataset_version_id, "
                                       "or data_source")  # fmt: skip
        if not given:
            return {"enable_check": False}  # without it the service refuses a configuration that names no data
        if dataset:
            return {"dataset_id": str(call.dataset_id), "dataset_version_id": str(call.dataset_version_id)}
        if call.inputs is not None:
            path = self.checks.place("inputs", call.inputs)
            return {"data_url": path.api} if path else {}
        return {"data_source": self._data_source()}

    def _data_source(self) -> list[dict[str, Any]]:
        given = self.call.data_source
        if not isinstance(given, Sequence) or isinstance(given, (str, bytes)) or not given:
            rule = 'a list of {"type": "obs", "data_url": …} or {"type": "dataset", …}'
            self.checks.fault("data_source", given, rule)
            return []
        kinds = {item.get("type") for item in given if isinstance(item, Mapping)}
        if len(kinds) > 1:
            self.checks.fault("data_source", given, "obs and dataset cannot be mixed in one list")
        return [self._source(item) for item in given]

    def _source(self, item: Any) -> dict[str, Any]:
        kind = item.get("type") if isinstance(item, Mapping) else None
        if kind not in limits.DATA_SOURCE_TYPES:
            self.checks.fault("data_source", item, "every item is a dict whose type is 'obs' or 'dataset'")
            return {}
        if kind == "dataset":
            version = item.get("dataset_version", item.get("dataset_version_id"))
            if not item.get("dataset_id") or not version:
                self.checks.fault("data_source", item, "type 'dataset' needs dataset_id and dataset_version")
            if item.get("data_url"):
                self.checks.fault("data_source", item, "data_url excludes dataset_id and dataset_version")
            return dict(item)
        if not item.get("data_url"):
            self.checks.fault("data_source", item, "type 'obs' needs data_url")
            return {}
        path = self.checks.obs_path("data_source", item["data_url"])
        return {**item, "data_url": path.api} if path else {}
