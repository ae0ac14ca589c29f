"""Requests just inside and just outside every documented limit, derived from the contract."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any, Callable

import attrs

from tests.support.rest import OPERATIONS, fields_of, has_type, samples

BAD_VALUE, MISSING = "ModelArts.0104", "ModelArts.0105"
OMITTED = object()
Body = dict[str, Any]
Locator = Callable[[Body], Body]  # returns the object in a request body that contains a member


@attrs.frozen
class ListedId:
    """An id from a list; with `missing`, an id that is not in the list."""

    operation: str
    missing: bool = False


@attrs.frozen
class NodeCount:
    """A number of nodes, relative to the maximum of the flavor."""

    above_maximum: int


@attrs.frozen
class FreeName:
    """An unused name."""


@attrs.frozen
class Case:
    """A request that tests one member or rule, and the expected error code, empty for success."""

    operation: str
    subject: str
    description: str
    error_code: str = ""
    query: dict[str, Any] = attrs.field(factory=dict)
    body: Body | None = None

    def __str__(self) -> str:
        return f"{self.subject} {self.description}: {self.error_code or 'accepted'}"


# --- rules that the documentation leaves open or contradicts (the classes of the conflict table)

SEARCH_LENGTH = 100  # SEARCHLEN: 64 on some pages, 100 on others; the service accepts 100
OPEN_ENUMS = ("project_type",)  # PROJTYPE: one source lists the values; others are accepted
ANY_CASE = ("create_visualization_job",)  # VISTYPE, SCHEDULE
NOT_IMPLEMENTED = ("mindinsight",)  # as the compatibility page says
CLOUD_ONLY = (("get_training_job_config", "sample"),)  # only the cloud has sample configurations
OPTIONAL = (("create_training_job_version", "train_url"),)  # TRAINURL: "Yes" for new versions only
ALSO_REQUIRED = ("label",)  # "No" in the tables, but a parameter without a name cannot be passed to the script
ANY_TYPE = ("value",)  # PARAMVAL: all values are converted to text
BOTH_ACCEPTED = (["spec_id"], ["pool_id"])  # POOL: the samples send both
MINIMUM = {"worker_server_num": 1}  # no lower bound is documented

NAMES = ("config_name", "job_name")
# Members that no sample contains.
EXAMPLES: Body = {
    "dataset_version": "2ff0d6ba-c480-45ae-be41-09a8369bfc90", "nas_type": "nfs",
    "flavor": {"code": "modelarts.vm.cpu.2u"},
}  # fmt: skip
SOURCE_TYPE = {"dataset_id": "dataset", "dataset_version": "dataset", "data_url": "obs"}  # of an item of data_source
NON_INTEGER_TEXTS = ("x", "1.5", "1e1", "0x1", "", " ", "1 2", "²", "１", "--1", str(2**63), "9" * 5000)
WRONG_TYPES: dict[str, tuple[Any, ...]] = {
    "string": (5, 1.5, True, ["a"], {"a": "b"}),
    "integer": ("five", 1.5, True, [1], {"a": 1}, -1, 2**63, 10**30, ""),
    "boolean": ("true", 1, 0, 1.0, [True], {"a": True}),
    "object": ("text", 5, True, [5]),
    "array": ("text", 5, True, {"a": "b"}, [5], ["text"], [[]]),
}


def _gather(value: Any) -> None:
    for name, member in value.items() if isinstance(value, dict) else ():
        EXAMPLES.setdefault(name, member)
        for item in member if isinstance(member, list) else [member]:
            _gather(item)


for _operation in OPERATIONS:
    for _sample in samples(_operation, "requests"):
        _gather(_sample.get("body"))


def base(operation: str) -> Body | None:
    """The body of a documented sample that contains only members of both current sources."""
    for sample in samples(operation, "requests"):
        if "zh-api" in sample["source"] and "body" in sample:
            printed = copy.deepcopy(sample["body"])
            body = {name: value for name, value in printed.items() if value not in NOT_IMPLEMENTED}
            if operation == "create_training_job_version":
                body["config"]["pre_version_id"] = ListedId("list_training_job_versions")
            return {**body, **{name: FreeName() for name in NAMES if name in body}}
    return None


def cases(operation: str) -> Iterator[Case]:
    """All cases of an operation."""
    for field in fields_of(operation, "query_params"):
        yield from _query_cases(operation, field)
    if base(operation) is None:
        return
    for field, locate in documented_members(fields_of(operation, "request_body")):
        if not field.get("undocumented"):
            yield from _member_cases(operation, field, locate)
    for rule in OPERATIONS[operation]["request_body"]["rules"]:
        yield from _rule_cases(operation, rule)


# --- the query

def _query_cases(operation: str, field: Body) -> Iterator[Case]:
    name, required = field["name"], _required_query(operation)
    required.pop(name, None)
    inside, outside = _limits(operation, field)
    if field["type"] == "integer":
        outside += NON_INTEGER_TEXTS
    if "job statuses" in str(field["constraint"].get("value_from")):
        inside += ["0", "22", "RUNNING", "jobstat_running", *re.findall(r"[\d|]+", field["constraint"]["doc_example"])]
        outside += ["23", "-1", "8|", "|", "8,9", "none", "²", "٣", "8|²", "9" * 5000]
    for value in inside:
        code = MISSING if (operation, value) in CLOUD_ONLY else ""
        yield Case(operation, name, _text_of(value), code, {**required, name: str(value)})
    for value in outside:
        yield Case(operation, name, _text_of(value), BAD_VALUE, {**required, name: str(value)})
    source = field["constraint"].get("value_from", "")
    if source.startswith("list_"):
        lister = source.partition(".")[0]
        yield Case(operation, name, "listed", query={**required, name: ListedId(lister)})
        yield Case(operation, name, "not listed", MISSING, {**required, name: ListedId(lister, missing=True)})
    yield Case(operation, name, "left out", BAD_VALUE if field["required"] else "", required)


def _required_query(operation: str) -> Body:
    return {
        field["name"]: ListedId(field["constraint"]["value_from"].partition(".")[0])
        for field in fields_of(operation, "query_params") if field["required"]
    }  # fmt: skip


# --- single members of bodies

def documented_members(fields: list[Body], locate: Locator = lambda body: body) -> Iterator[tuple[Body, Locator]]:
    """Every documented member of a body, and a function that returns the object that contains it."""
    for field in fields:
        yield field, locate
        inner = field.get("items", field)
        if "fields" in inner:
            yield from documented_members(inner["fields"], _into(field, locate))


def _into(field: Body, locate: Locator) -> Locator:
    def inner(body: Body) -> Body:
        parent = locate(body)
        if field["name"] not in parent:
            _put(parent, field, copy.deepcopy(EXAMPLES[field["name"]]))
        member = parent[field["name"]]
        found: Body = member[0] if isinstance(member, list) else member
        return found

    return inner


def _put(parent: Body, field: Body, value: Any) -> None:
    """Set or omit a member; remove the members that it excludes, and add those that it requires."""
    relations = field.get("relations", {})
    for name in relations.get("exclusive_with", ()):
        parent.pop(name, None)
    for name in relations.get("required_with", ()):
        parent.setdefault(name, EXAMPLES[name])
    if _is_in_data_source(field):
        parent["type"] = SOURCE_TYPE[field["name"]]
    parent[field["name"]] = value
    if value is OMITTED:
        del parent[field["name"]]


def _is_in_data_source(field: Body) -> bool:
    return "exclusive_with" in field.get("relations", {}) and "group" not in field["relations"]


def _member_cases(operation: str, field: Body, locate: Locator) -> Iterator[Case]:
    name, relations = field["name"], field.get("relations", {})

    def case(value: Any, error_code: str = "", description: str = "", /, **others: Any) -> Case:
        body = base(operation) or {}
        parent = locate(body)
        _put(parent, field, value)
        parent.update(others)
        for other in [other for other, member in others.items() if member is OMITTED]:
            del parent[other]
        return Case(operation, name, description or _text_of(value), error_code, body=body)

    inside, outside = _limits(operation, field)
    if name not in ANY_TYPE:
        outside += [value for value in WRONG_TYPES[field["type"]] if not _is_accepted_type(field, value)]
    yield from (case(value) for value in inside)
    yield from (case(value, BAD_VALUE) for value in outside)
    if "value_from" in field.get("constraint", {}):
        yield from _listed_id_cases(field["constraint"]["value_from"], case)
    if "located_under" in field.get("constraint", {}):
        yield from _located_cases(field["constraint"]["located_under"], case)
    if "maximum_from" in field.get("constraint", {}):
        yield case(NodeCount(0), "", "as the flavor allows")
        yield case(NodeCount(1), BAD_VALUE, "above what the flavor allows")
    if field["required"] != "conditional":
        required = (field["required"] and (operation, name) not in OPTIONAL) or name in ALSO_REQUIRED
        for value in (OMITTED, None):
            yield case(value, BAD_VALUE if required else "")
    if any(map(_is_discriminator, field.get("items", {}).get("fields", ()))):
        yield from _mixed_source_cases(case)
    for other in relations.get("exclusive_with", ()):
        if [name] not in BOTH_ACCEPTED:
            yield case(EXAMPLES[name], BAD_VALUE, f"with {other}", **{other: EXAMPLES[other]})
    for other in relations.get("required_with", ()):
        yield case(EXAMPLES[name], BAD_VALUE, f"without {other}", **{other: OMITTED})


def _listed_id_cases(source: str, case: Callable[..., Case]) -> Iterator[Case]:
    operation = source.partition(".")[0]
    code = MISSING if "versions" in operation else BAD_VALUE
    yield case(ListedId(operation), "", "listed")
    yield case(ListedId(operation, missing=True), code, "not listed")


def _located_cases(folder: str, case: Callable[..., Case]) -> Iterator[Case]:
    path = EXAMPLES[folder].rstrip("/")
    for inside in (f"{path}/other.py", f"{path}/deep/er/boot.py", f"obs:/{path}/boot.py", f"s3:/{path}/boot.py"):
        yield case(inside)
    for outside in (f"{path}2/boot.py", "/usr/boot.py", "/other/app/boot.py", f"{path}/../boot.py", "boot.py", path):
        yield case(outside, BAD_VALUE)


def _mixed_source_cases(case: Callable[..., Case]) -> Iterator[Case]:
    """Lists with items of one type, and of two types."""
    kinds: dict[str, Body] = {}
    for member, kind in SOURCE_TYPE.items():
        kinds.setdefault(kind, {"type": kind})[member] = EXAMPLES[member]
    for kind in kinds.values():
        yield case([kind, kind])
    yield case(list(kinds.values()), BAD_VALUE)


def _limits(operation: str, field: Body) -> tuple[list[Any], list[Any]]:
    """Values just inside and just outside what a member's constraint allows."""
    name, limits = field["name"], field.get("constraint", {})
    inside: list[Any] = []
    outside: list[Any] = []
    if "enum" in limits:
        inside += [value for value in limits["enum"] if value not in NOT_IMPLEMENTED and not _is_discriminator(field)]
        if field["type"] == "string":
            outside += ["nonsense", f"{limits['enum'][0]} ", limits["enum"][0][:-1]]
            texts = inside if operation in ANY_CASE else outside
            texts += [text.swapcase() for text in inside if text.swapcase() != text][:1]
        if field["type"] == "integer":
            (inside if name in OPEN_ENUMS else outside).append(max(limits["enum"]) + 1)
    if "max_length" in limits:
        maximum = SEARCH_LENGTH if name == "search_content" else limits["max_length"]
        inside += ["a" * limits["min_length"], "a" * maximum]
        outside += ["a" * (maximum + 1)] + (["a" * (limits["min_length"] - 1)] if limits["min_length"] else [])
    if "pattern" in limits:
        inside += ["aZ09_-", "-", "_0"]
        outside += ["a b", "a.b", "a/b", "ä", "１", "a\n", "a\0", " a", "%%123"]
    elif "max_length" in limits:
        inside += ["ä" * maximum, "\U0001f600" * maximum, "a\nb", "%_'\"\\"]
        outside += ["ä" * (maximum + 1), "\U0001f600" * (maximum + 1)]
    minimum, maximum = limits.get("minimum", MINIMUM.get(name)), limits.get("maximum")
    if minimum is not None:
        inside += [minimum]
        outside += [minimum - 1, -(2**63), -(10**30)]
    if maximum is not None:
        inside += [maximum]
        outside += [maximum + 1]
    if field.get("type") == "integer" and "accept_types" not in field and inside:
        inside += [str(inside[0])]  # NUMSTR: numbers in quotes
    return inside, outside


def _is_discriminator(field: Body) -> bool:
    """Whether other members depend on this one, so that it cannot be changed alone."""
    return "must not mix" in str(field.get("constraint", {}).get("note"))


def _is_accepted_type(field: Body, value: Any) -> bool:
    return any(has_type(kind, value) for kind in field.get("accept_types", ()))


def _text_of(value: Any) -> str:
    text = "left out" if value is OMITTED else repr(value)  # not str: "1" and 1 are two cases
    return text if len(text) < 50 else f"{text[:40]}… ({len(text)})"


# --- rules about several members

def _rule_cases(operation: str, rule: Body) -> Iterator[Case]:
    def case(error_code: str, description: str, removed: Iterable[str], added: Iterable[str]) -> Case:
        body = base(operation) or {}
        parent = body[rule["at"]] if "at" in rule else body
        for name in removed:
            parent.pop(name, None)
        parent.update({name: copy.deepcopy(EXAMPLES[name]) for name in added})
        return Case(operation, rule["rule"], description, error_code, body=body)

    groups = rule.get("groups") or [rule["fields"]]
    members = list(itertools.chain(*groups))
    if rule["rule"] in ("exactly_one_of", "at_least_one_of"):
        yield case(BAD_VALUE, f"none of {', '.join(members)}", members, [])
        for group in groups:
            yield case("", f"only {', '.join(group)}", members, group)
    if rule["rule"] == "exactly_one_of":
        for one, other in itertools.combinations(groups, 2):
            taken = one in BOTH_ACCEPTED and other in BOTH_ACCEPTED
            yield case("" if taken else BAD_VALUE, f"{', '.join(one)} and {', '.join(other)}", members, one + other)
    if rule["rule"] == "all_or_none":
        for name in rule["fields"]:
            yield case(BAD_VALUE, f"{name} alone", members, [name])
        if "broken_by_sample" in rule:
            image = ["user_image_url", "user_command"]
            yield case("", f"{members[0]} alone, with an image", members, [members[0], *image])
    if rule["rule"] == "not_needed_when_present":
        yield case("", f"{rule['when']} alone", members, [rule["when"]])
        yield case("", f"{rule['when']} with all", members, [*members, rule["when"]])


# --- values of the service

def resolve(value: Any, ids: Callable[[ListedId | NodeCount | FreeName], Any]) -> Any:
    """Replace the placeholders in a query or body with values of the service."""
    if isinstance(value, (ListedId, NodeCount, FreeName)):
        return ids(value)
    if isinstance(value, dict):
        return {name: resolve(member, ids) for name, member in value.items()}
    return [resolve(item, ids) for item in value] if isinstance(value, list) else value
