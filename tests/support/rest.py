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
BODIED = [operation for operation, row in OPERATIONS.items() if row["request_body"]]
ASKING = [operation for operation, row in OPERATIONS.items() if row["query_params"]]
TYPES: dict[str, Any] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict, "array": list,
}  # fmt: skip
CODE = re.compile(next(
    field["pattern"] for field in REST["common"]["failure_body"]["fields"] if field["name"] == "error_code"
))  # fmt: skip
FAILED = {"is_success", "error_code", "error_message", "error_msg"}

# Objects whose members are alternatives, as the samples print them: those of the other kind may be left out.
ALTERNATIVES = ("data_source[]", "volumes[]", "nfs", "host_path")
# Written by the training; the service returns it as it is.
PASSED_ON = ("model_metric_list",)


def samples(operation: str, kind: str) -> list[dict[str, Any]]:
    """The printed samples of an operation: `requests`, `responses_success` or `responses_failure`."""
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
    """The members of the path of a sample."""
    template = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", OPERATIONS[operation]["path"])
    found = re.fullmatch(f"/?{template}/?", printed)
    assert found, f"{printed} is no path of {operation}"
    return {name: value for name, value in found.groupdict().items() if name != "project_id"}


def is_of(kind: str, value: Any) -> bool:
    """Whether a value has a JSON type of the contract."""
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


# --- requests

def request_faults(operation: str, query: Mapping[str, str], body: Any) -> list[str]:
    """The members of a request that no document names, or that have another type."""
    known = {field["name"]: field for field in fields_of(operation, "query_params")}
    faults = [f"query member {name}" for name in query if name not in known]
    faults += [
        f"{name}={value} is no integer" for name, value in query.items()
        if known.get(name, {}).get("type") == "integer" and not re.fullmatch(r"-?\d+", value)
    ]  # fmt: skip
    return faults + list(_faults(fields_of(operation, "request_body"), body or {}, "", asked=True))


# --- responses

def reply_faults(operation: str, reply: Mapping[str, Any]) -> list[str]:
    """What a successful reply lacks, or has in another type; members that are not set are null."""
    if reply.get("is_success") is not True:
        return [f"is_success is {reply.get('is_success')!r}"]
    return list(_faults(fields_of(operation, "response"), reply, ""))


def refusal_faults(status: int, reply: Any, folded: bool = False) -> list[str]:
    """What is wrong with the shape of a failure; `folded` as the SDK returns it, with one text."""
    members = FAILED - {"error_message"} if folded else FAILED
    if not isinstance(reply, dict) or set(reply) != members:
        return [f"a refusal has {sorted(members)}, this is {reply!r}"]
    faults = [] if 400 <= status < 600 else [f"HTTP status {status}"]
    faults += [] if reply["is_success"] is False else ["is_success is not false"]
    faults += [] if CODE.fullmatch(str(reply["error_code"])) else [f"error_code is {reply['error_code']!r}"]
    texts = {reply["error_msg"], reply.get("error_message", reply["error_msg"])}
    return faults + ([] if len(texts) == 1 and all(texts) else [f"no text, or two: {reply!r}"])


def unset(operation: str, reply: Mapping[str, Any]) -> set[str]:
    """The documented members that are null, as paths."""
    return {path for path, value in _members(fields_of(operation, "response"), reply, "") if value is None}


def seen(operation: str, reply: Mapping[str, Any]) -> set[str]:
    """The documented members that have a value, as paths."""
    return {path for path, value in _members(fields_of(operation, "response"), reply, "") if value is not None}


def own(operation: str, reply: Mapping[str, Any]) -> set[str]:
    """The members of a reply that no document names."""
    return {fault.partition(":")[0] for fault in _faults(fields_of(operation, "response"), reply, "", asked=True)
            if fault.endswith(_UNKNOWN)}  # fmt: skip


_UNKNOWN = "in no document"


def _faults(fields: list[dict[str, Any]], value: Mapping[str, Any], at: str, asked: bool = False) -> Iterator[str]:
    named = {field["name"]: field for field in fields}
    if asked and fields:
        yield from (f"{at}{name}: {_UNKNOWN}" for name in value if name not in named)
    for name, field in named.items():
        if field.get("presence") == "failure_only":
            if name in value and not asked:
                yield f"{at}{name}: belongs to failures"
        elif name in value:
            yield from _value_faults(field, value[name], at + name, asked)
        elif not (asked or field.get("undocumented") or at.endswith(tuple(f"{kind}." for kind in ALTERNATIVES))):
            yield f"{at}{name}: missing"


def _value_faults(field: Mapping[str, Any], value: Any, at: str, asked: bool) -> Iterator[str]:
    if value is None:
        return
    kinds = [field["type"], *(field.get("accept_types", ()) if asked else ())]
    if not any(is_of(kind, value) for kind in kinds):
        yield f"{at}: {value!r} is not of type {' or '.join(kinds)}"
        return
    value = _decoded(field, value)
    if isinstance(value, dict) and "fields" in field and at.rpartition(".")[2] not in PASSED_ON:
        yield from _faults(field["fields"], value, f"{at}.", asked)
    if isinstance(value, list) and "items" in field:
        for item in value:
            yield from _value_faults(field["items"], item, f"{at}[]", asked)


def _decoded(field: Mapping[str, Any], value: Any) -> Any:
    """The JSON value of a text that contains one."""
    return json.loads(value) if "encoding" in field and isinstance(value, str) else value


def _members(fields: list[dict[str, Any]], value: Mapping[str, Any], at: str) -> Iterator[tuple[str, Any]]:
    for field in fields:
        if field["name"] not in value or field.get("undocumented"):
            continue
        member, path = _decoded(field, value[field["name"]]), at + field["name"]
        yield path, member
        items = member if isinstance(member, list) else [member]
        inner = field.get("fields") or field.get("items", {}).get("fields") or []
        for item in items:
            if isinstance(item, dict):
                yield from _members(inner, item, f"{path}.")
