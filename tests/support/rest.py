"""The REST contract: its operations and samples, and checks of bodies against it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.cloud import contract

REST = contract("rest_v1.json")
OPERATIONS: dict[str, dict[str, Any]] = {
    row["id"]: row for row in [*REST["operations"], *REST["supplementary_operations"]]
}
WITH_BODY = [operation for operation, row in OPERATIONS.items() if row["request_body"]]
WITH_QUERY = [operation for operation, row in OPERATIONS.items() if row["query_params"]]
TYPES: dict[str, Any] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict, "array": list,
}  # fmt: skip
CODE = re.compile(next(
    field["pattern"] for field in REST["common"]["failure_body"]["fields"] if field["name"] == "error_code"
))  # fmt: skip
FAILURE_MEMBERS = {"is_success", "error_code", "error_message", "error_msg"}

# Objects whose members are alternatives, as in the samples: members of the other kind may be omitted.
ALTERNATIVES = ("data_source[].", "volumes[].", "nfs.", "host_path.")
# Written by the training; the service returns it unchanged.
NOT_CHECKED = ("model_metric_list",)


def samples(operation: str, kind: str) -> list[dict[str, Any]]:
    """The documented samples of an operation: `requests`, `responses_success` or `responses_failure`."""
    printed: list[dict[str, Any]] = OPERATIONS[operation]["samples"][kind]
    return printed


def fields_of(operation: str, part: str) -> list[dict[str, Any]]:
    """The documented members of an operation's `query_params`, `request_body` or `response`."""
    described = OPERATIONS[operation][part]
    if isinstance(described, list):
        return described
    fields: list[dict[str, Any]] = described["fields"] if described else []
    return fields


def path_values(operation: str, printed: str) -> dict[str, str]:
    """The values in the path of a sample."""
    template = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", OPERATIONS[operation]["path"])
    found = re.fullmatch(f"/?{template}/?", printed)
    assert found, f"{printed} is not a path of {operation}"
    return {name: value for name, value in found.groupdict().items() if name != "project_id"}


def has_type(kind: str, value: Any) -> bool:
    """Whether a value has a JSON type of the contract."""
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


# --- requests

def request_faults(operation: str, query: Mapping[str, str], body: Any) -> list[str]:
    """Undocumented members of a request, and members with another type."""
    known = {field["name"]: field for field in fields_of(operation, "query_params")}
    faults = [f"query member {name}" for name in query if name not in known]
    faults += [
        f"{name}={value} is not an integer" for name, value in query.items()
        if known.get(name, {}).get("type") == "integer" and not re.fullmatch(r"-?\d+", value)
    ]  # fmt: skip
    return faults + list(_faults(fields_of(operation, "request_body"), body or {}, "", is_request=True))


# --- responses

def reply_faults(operation: str, reply: Mapping[str, Any]) -> list[str]:
    """Missing members of a successful reply, and members with another type; null is allowed."""
    if reply.get("is_success") is not True:
        return [f"is_success is {reply.get('is_success')!r}"]
    return list(_faults(fields_of(operation, "response"), reply, ""))


def failure_faults(status: int, reply: Any, folded: bool = False) -> list[str]:
    """Deviations of an error response from the documented format; `folded` as the SDK returns it, with one message."""
    members = FAILURE_MEMBERS - {"error_message"} if folded else FAILURE_MEMBERS
    if not isinstance(reply, dict) or set(reply) != members:
        return [f"an error has {sorted(members)}, got {reply!r}"]
    faults = [] if 400 <= status < 600 else [f"HTTP status {status}"]
    faults += [] if reply["is_success"] is False else ["is_success is not false"]
    faults += [] if CODE.fullmatch(str(reply["error_code"])) else [f"error_code is {reply['error_code']!r}"]
    texts = {reply["error_msg"], reply.get("error_message", reply["error_msg"])}
    return faults + ([] if len(texts) == 1 and all(texts) else [f"no message, or two: {reply!r}"])


def null_members(operation: str, reply: Mapping[str, Any]) -> set[str]:
    """The documented members that are null, as paths."""
    return {path for path, value in _members(fields_of(operation, "response"), reply, "") if value is None}


def non_null_members(operation: str, reply: Mapping[str, Any]) -> set[str]:
    """The documented members that have a value, as paths."""
    return {path for path, value in _members(fields_of(operation, "response"), reply, "") if value is not None}


def undocumented_members(operation: str, reply: Mapping[str, Any]) -> set[str]:
    """The undocumented members of a reply."""
    return {fault.partition(":")[0] for fault in _faults(fields_of(operation, "response"), reply, "", is_request=True)
            if fault.endswith(_UNDOCUMENTED)}  # fmt: skip


_UNDOCUMENTED = "undocumented"


def _faults(
    fields: list[dict[str, Any]], value: Mapping[str, Any], prefix: str, is_request: bool = False
) -> Iterator[str]:
    named = {field["name"]: field for field in fields}
    if is_request and fields:
        yield from (f"{prefix}{name}: {_UNDOCUMENTED}" for name in value if name not in named)
    for name, field in named.items():
        if field.get("presence") == "failure_only":
            if name in value and not is_request:
                yield f"{prefix}{name}: belongs to failures"
        elif name in value:
            yield from _value_faults(field, value[name], prefix + name, is_request)
        elif not (is_request or field.get("undocumented") or prefix.endswith(ALTERNATIVES)):
            yield f"{prefix}{name}: missing"


def _value_faults(field: Mapping[str, Any], value: Any, prefix: str, is_request: bool) -> Iterator[str]:
    if value is None:
        return
    kinds = [field["type"], *(field.get("accept_types", ()) if is_request else ())]
    if not any(has_type(kind, value) for kind in kinds):
        yield f"{prefix}: {value!r} is not of type {' or '.join(kinds)}"
        return
    value = _decoded(field, value)
    if isinstance(value, dict) and "fields" in field and prefix.rpartition(".")[2] not in NOT_CHECKED:
        yield from _faults(field["fields"], value, f"{prefix}.", is_request)
    if isinstance(value, list) and "items" in field:
        for item in value:
            yield from _value_faults(field["items"], item, f"{prefix}[]", is_request)


def _decoded(field: Mapping[str, Any], value: Any) -> Any:
    """The JSON value of a text that contains one."""
    return json.loads(value) if "encoding" in field and isinstance(value, str) else value


def _members(fields: list[dict[str, Any]], value: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for field in fields:
        if field["name"] not in value or field.get("undocumented"):
            continue
        member, path = _decoded(field, value[field["name"]]), prefix + field["name"]
        yield path, member
        items = member if isinstance(member, list) else [member]
        inner = field.get("fields") or field.get("items", {}).get("fields") or []
        for item in items:
            if isinstance(item, dict):
                yield from _members(inner, item, f"{path}.")
