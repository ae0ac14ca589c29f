"""Writes modelarts/_api/replies.pyi from the contract: `python -m tests.support.typed_replies`."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import modelarts
from tests.support.rest import FAILURE_MEMBERS, fields_of

MODULE = Path(modelarts.__file__).with_name("_api") / "replies.pyi"

REPLIES = {
    "create_training_job": "CreatedJob",
    "list_training_jobs": "JobList",
    "get_training_job_version": "JobInfo",
    "list_training_job_versions": "VersionList",
    "list_training_job_log_files": "LogFiles",
    "get_training_job_log": "LogLines",
    "list_training_job_configs": "ConfigList",
    "get_training_job_config": "ConfigInfo",
    "list_built_in_algorithms": "AlgorithmList",
    "create_visualization_job": "CreatedVisualization",
    "list_visualization_jobs": "VisualizationList",
    "get_visualization_job": "VisualizationInfo",
    "list_job_resource_specs": "FlavorList",
    "list_job_engines": "EngineList",
}
ROWS = {
    "JobList.jobs": "JobRow",
    "VersionList.versions": "VersionRow",
    "ConfigList.configs": "ConfigRow",
    "VisualizationList.jobs": "VisualizationRow",
    "AlgorithmList.models": "Algorithm",
    "Algorithm.parameter": "AlgorithmParameter",
    "FlavorList.specs": "Flavor",
    "EngineList.engines": "Engine",
    "parameter": "Parameter",
    "data_source": "DataSource",
    "volumes": "Volume",
    "nfs": "NfsVolume",
    "host_path": "HostPathVolume",
    "model_metric_list": "ModelMetrics",
    "system_metric_list": "SystemMetrics",
    "metric": "ClassMetric",
    "metric_values": "ClassMetricValues",
    "metric_meta": "ClassMetricMeta",
    "total_metric": "TotalMetric",
    "total_metric_values": "TotalMetricValues",
}
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "object": "dict[str, Any]"}
# What the SDK gives, where it decodes more than JSON.
DECODED = {"status": "JobStatus", "schedule": "list[dict[str, Any]]"}

HEAD = '''\
"""The documented members of replies, for type checkers and editors: replies themselves are `Response` and `Record`.

Written by tests/support/typed_replies.py from the contract. It is a stub: import it under `TYPE_CHECKING` only.
"""

from typing import Any, Literal, Optional, TypedDict, overload

from modelarts._transport.response import Response
from modelarts._wire.json_records import Record
from modelarts._wire.v1.status import JobStatus

class Framework(TypedDict):
    """A row of `get_framework_list`."""

    framework_type: str
    framework_version: str
'''


def module() -> str:
    """The text of the module."""
    classes: dict[str, str] = {}
    for operation, name in REPLIES.items():
        add(classes, name, "Response", fields_of(operation, "response"))
    return "\n\n".join([HEAD, *classes.values()])


def add(classes: dict[str, str], name: str, base: str, fields: list[dict[str, Any]]) -> None:
    """Add a class, after those of its members."""
    members = {field["name"]: type_of(classes, name, field) for field in fields if field["name"] not in FAILURE_MEMBERS}
    text = "\n".join([f"class {name}({base}):", *(f"    {member}: {kind}" for member, kind in members.items()), "",
                      *overloads(members)])  # fmt: skip
    if classes.setdefault(name, text) != text:
        raise ValueError(f"{name} has different members in two places")


def type_of(classes: dict[str, str], owner: str, field: Mapping[str, Any]) -> str:
    kind = DECODED.get(field["name"]) or _type_of(classes, owner, field)
    return f"Optional[{kind}]" if field.get("nullable") else kind


def _type_of(classes: dict[str, str], owner: str, field: Mapping[str, Any]) -> str:
    items = field.get("items") or {}
    inner = field.get("fields") or items.get("fields")
    name = ROWS.get(f"{owner}.{field['name']}") or ROWS.get(field["name"])
    if inner and name:
        add(classes, name, "Record", inner)
        return f"list[{name}]" if items else name
    if field["type"] == "array":
        return f"list[{PLAIN[items['type']]}]"
    return PLAIN[field["type"]]


def overloads(members: Mapping[str, str]) -> list[str]:
    """What `reply["name"]` is: one overload for each type."""
    names = defaultdict(list)
    for member, kind in members.items():
        names[kind].append(f'"{member}"')
    lines = []
    for kind, group in names.items():
        literal = ", ".join(group)
        signature = f"    def __getitem__(self, name: Literal[{literal}]) -> {kind}: ..."
        if len(signature) > 120:
            filled = textwrap.wrap(f"{literal},", 112, initial_indent=" " * 12, subsequent_indent=" " * 12)
            signature = "\n".join(["    def __getitem__(", "        self, name: Literal[", *filled, "        ],",
                                   f"    ) -> {kind}: ..."])  # fmt: skip
        lines += ["    @overload", signature]
    return [*lines, "    @overload", "    def __getitem__(self, name: str) -> Any: ...", ""]


if __name__ == "__main__":
    MODULE.write_text(module(), encoding="utf-8")
