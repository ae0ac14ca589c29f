"""Requests just inside and just outside every documented limit, derived from the contract."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any, Callable

import attrs

from tests.support.rest import OPERATIONS, fields_of, is_of, samples

BAD_VALUE, MISSING = "ModelArts.0104", "ModelArts.0105"
LEFT_OUT = object()
Body = dict[str, Any]
Reach = Callable[[Body], Body]  # from a request body to the object in it that a member belongs to


@attrs.frozen
class Listed:
    """An id of a list, or with `but` the nearest one that is not in it."""

    operation: str
    but: bool = False


@attrs.frozen
class Most:
    """A number of nodes above the maximum of the flavor."""

    over: int


@attrs.frozen
class Fresh:
    """A name that is free."""


@attrs.frozen
class Case:
    """A request about one member or rule, and the code that it is refused with, if it is."""

    operation: str
    about: str
    told: str
    refused: str = ""
    query: dict[str, Any] = attrs.field(factory=dict)
    body: Body | None = None

    def __str__(self) -> str:
        return f"{self.about} {self.told}: {self.refused or 'accepted'}"


# --- rules that the documents leave open or contradict (the classes of the conflict table)

SEARCH_LENGTH = 100  # SEARCHLEN: 64 on some pages, 100 on others; the service takes the longer text
OPEN_ENUMS = ("project_type",)  # PROJTYPE: values that one source lists; others are passed on
ANY_CASE = ("create_visualization_job",)  # VISTYPE, SCHEDULE
NOT_SERVED = ("mindinsight",)  # as the compatibility page says
NOT_THERE = (("get_training_job_config", "sample"),)  # only the cloud has sample configurations
OPTIONAL = (("create_training_job_version", "train_url"),)  # TRAINURL: "Yes" for new versions only
NEEDED = ("label",)  # "No" in the tables, though a parameter without a name cannot be passed on
ANY_TYPE = ("value",)  # PARAMVAL: everything has one text
BOTH_ACCEPTED = (["spec_id"], ["pool_id"])  # POOL: the samples send both
AT_LEAST = {"worker_server_num": 1}  # no lower bound is documented

NAMES = ("config_name", "job_name")
# What the samples do not print.
EXAMPLES: Body = {
    "dataset_version": "2ff0d6ba-c480-45ae-be41-09a8369bfc90", "nas_type": "nfs",
    "flavor": {"code": "modelarts.vm.cpu.2u"},
}  # fmt: skip
KIND = {"dataset_id": "dataset", "dataset_version": "dataset", "data_url": "obs"}  # of an item of data_source
TEXTS_OF_NO_INTEGER = ("x", "1.5", "1e1", "0x1", "", " ", "1 2", "²", "１", "--1", str(2**63), "9" * 5000)
WRONG: dict[str, tuple[Any, ...]] = {
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
    """The printed request body that uses nothing but what both current sources list."""
    for sample in samples(operation, "requests"):
        if "zh-api" in sample["source"] and "body" in sample:
            body = {name: value for name, value in copy.deepcopy(sample["body"]).items() if value not in NOT_SERVED}
            if operation == "create_training_job_version":
                body["config"]["pre_version_id"] = Listed("list_training_job_versions")
            return {**body, **{name: Fresh() for name in NAMES if name in body}}
    return None


def cases(operation: str) -> Iterator[Case]:
    """Every case of an operation."""
    for field in fields_of(operation, "query_params"):
        yield from _query_cases(operation, field)
    if base(operation) is None:
        return
    for field, reach in places(fields_of(operation, "request_body")):
        if not field.get("undocumented"):
            yield from _member_cases(operation, field, reach)
    for rule in OPERATIONS[operation]["request_body"]["rules"]:
        yield from _rule_cases(operation, rule)


# --- the query

def _query_cases(operation: str, field: Body) -> Iterator[Case]:
    name, needed = field["name"], _needed_query(operation)
    needed.pop(name, None)
    inside, outside = _limits(operation, field)
    if field["type"] == "integer":
        outside += TEXTS_OF_NO_INTEGER
    if "job statuses" in str(field["constraint"].get("value_from")):
        inside += ["0", "22", "RUNNING", "jobstat_running", *re.findall(r"[\d|]+", field["constraint"]["doc_example"])]
        outside += ["23", "-1", "8|", "|", "8,9", "none", "²", "٣", "8|²", "9" * 5000]
    for value in inside:
        gone = MISSING if (operation, value) in NOT_THERE else ""
        yield Case(operation, name, _shown(value), gone, {**needed, name: str(value)})
    for value in outside:
        yield Case(operation, name, _shown(value), BAD_VALUE, {**needed, name: str(value)})
    listed = field["constraint"].get("value_from", "")
    if listed.startswith("list_"):
        lister = listed.partition(".")[0]
        yield Case(operation, name, "listed", query={**needed, name: Listed(lister)})
        yield Case(operation, name, "not listed", MISSING, {**needed, name: Listed(lister, but=True)})
    yield Case(operation, name, "left out", BAD_VALUE if field["required"] else "", needed)


def _needed_query(operation: str) -> Body:
    return {
        field["name"]: Listed(field["constraint"]["value_from"].partition(".")[0])
        for field in fields_of(operation, "query_params") if field["required"]
    }  # fmt: skip


# --- single members of bodies

def places(fields: list[Body], reach: Reach = lambda body: body) -> Iterator[tuple[Body, Reach]]:
    """Every documented member of a body, and the way to the object that it belongs to."""
    for field in fields:
        yield field, reach
        inner = field.get("items", field)
        if "fields" in inner:
            yield from places(inner["fields"], _into(field, reach))


def _into(field: Body, reach: Reach) -> Reach:
    def inner(body: Body) -> Body:
        parent = reach(body)
        if field["name"] not in parent:
            _put(parent, field, copy.deepcopy(EXAMPLES[field["name"]]))
        held = parent[field["name"]]
        found: Body = held[0] if isinstance(held, list) else held
        return found

    return inner


def _put(parent: Body, field: Body, value: Any) -> None:
    """Set a member or leave it out; remove the members that it excludes, and add those that it requires."""
    relations = field.get("relations", {})
    for name in relations.get("exclusive_with", ()):
        parent.pop(name, None)
    for name in relations.get("required_with", ()):
        parent.setdefault(name, EXAMPLES[name])
    if _is_of_a_source(field):
        parent["type"] = KIND[field["name"]]
    parent[field["name"]] = value
    if value is LEFT_OUT:
        del parent[field["name"]]


def _is_of_a_source(field: Body) -> bool:
    return "exclusive_with" in field.get("relations", {}) and "group" not in field["relations"]


def _member_cases(operation: str, field: Body, reach: Reach) -> Iterator[Case]:
    name, relations = field["name"], field.get("relations", {})

    def case(value: Any, refused: str = "", told: str = "", /, **others: Any) -> Case:
        body = base(operation) or {}
        parent = reach(body)
        _put(parent, field, value)
        parent.update(others)
        for other in [other for other, member in others.items() if member is LEFT_OUT]:
            del parent[other]
        return Case(operation, name, told or _shown(value), refused, body=body)

    inside, outside = _limits(operation, field)
    outside += [value for value in WRONG[field["type"]] if name not in ANY_TYPE and not _is_taken(field, value)]
    yield from (case(value) for value in inside)
    yield from (case(value, BAD_VALUE) for value in outside)
    if "value_from" in field.get("constraint", {}):
        yield from _listed_cases(field["constraint"]["value_from"], case)
    if "located_under" in field.get("constraint", {}):
        yield from _located_cases(field["constraint"]["located_under"], case)
    if "maximum_from" in field.get("constraint", {}):
        yield case(Most(0), "", "as the flavor allows")
        yield case(Most(1), BAD_VALUE, "above what the flavor allows")
    if field["required"] != "conditional":
        needed = (field["required"] and (operation, name) not in OPTIONAL) or name in NEEDED
        for value in (LEFT_OUT, None):
            yield case(value, BAD_VALUE if needed else "")
    if any(map(_is_kind, field.get("items", {}).get("fields", ()))):
        yield from _mixing_cases(case)
    for other in relations.get("exclusive_with", ()):
        if [name] not in BOTH_ACCEPTED:
            yield case(EXAMPLES[name], BAD_VALUE, f"with {other}", **{other: EXAMPLES[other]})
    for other in relations.get("required_with", ()):
        yield case(EXAMPLES[name], BAD_VALUE, f"without {other}", **{other: LEFT_OUT})


def _listed_cases(listed: str, case: Callable[..., Case]) -> Iterator[Case]:
    operation = listed.partition(".")[0]
    gone = MISSING if "versions" in operation else BAD_VALUE
    yield case(Listed(operation), "", "listed")
    yield case(Listed(operation, but=True), gone, "not listed")


def _located_cases(folder: str, case: Callable[..., Case]) -> Iterator[Case]:
    place = EXAMPLES[folder].rstrip("/")
    for inside in (f"{place}/other.py", f"{place}/deep/er/boot.py", f"obs:/{place}/boot.py", f"s3:/{place}/boot.py"):
        yield case(inside)
    for outside in (f"{place}2/boot.py", "/usr/boot.py", "/other/app/boot.py", f"{place}/../boot.py", "boot.py", place):
        yield case(outside, BAD_VALUE)


def _mixing_cases(case: Callable[..., Case]) -> Iterator[Case]:
    """Lists whose items are of one kind, and of two."""
    kinds: dict[str, Body] = {}
    for member, kind in KIND.items():
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
        inside += [value for value in limits["enum"] if value not in NOT_SERVED and not _is_kind(field)]
        if field["type"] == "string":
            outside += ["nonsense", f"{limits['enum'][0]} ", limits["enum"][0][:-1]]
            way = inside if operation in ANY_CASE else outside
            way += [text.swapcase() for text in inside if text.swapcase() != text][:1]
        if field["type"] == "integer":
            (inside if name in OPEN_ENUMS else outside).append(max(limits["enum"]) + 1)
    if "max_length" in limits:
        most = SEARCH_LENGTH if name == "search_content" else limits["max_length"]
        inside += ["a" * limits["min_length"], "a" * most]
        outside += ["a" * (most + 1)] + (["a" * (limits["min_length"] - 1)] if limits["min_length"] else [])
    if "pattern" in limits:
        inside += ["aZ09_-", "-", "_0"]
        outside += ["a b", "a.b", "a/b", "ä", "１", "a\n", "a\0", " a", "%%123"]
    elif "max_length" in limits:
        inside += ["ä" * most, "\U0001f600" * most, "a\nb", "%_'\"\\"]
        outside += ["ä" * (most + 1), "\U0001f600" * (most + 1)]
    least, most = limits.get("minimum", AT_LEAST.get(name)), limits.get("maximum")
    if least is not None:
        inside += [least]
        outside += [least - 1, -(2**63), -(10**30)]
    if most is not None:
        inside += [most]
        outside += [most + 1]
    if field.get("type") == "integer" and "accept_types" not in field and inside:
        inside += [str(inside[0])]  # NUMSTR: numbers in quotes
    return inside, outside


def _is_kind(field: Body) -> bool:
    """Whether a member decides which other members are allowed, so that it cannot be changed alone."""
    return "must not mix" in str(field.get("constraint", {}).get("note"))


def _is_taken(field: Body, value: Any) -> bool:
    return any(is_of(kind, value) for kind in field.get("accept_types", ()))


def _shown(value: Any) -> str:
    text = "left out" if value is LEFT_OUT else repr(value)  # not str: "1" and 1 are two cases
    return text if len(text) < 50 else f"{text[:40]}… ({len(text)})"


# --- rules about several members

def _rule_cases(operation: str, rule: Body) -> Iterator[Case]:
    def case(refused: str, told: str, gone: Iterable[str], given: Iterable[str]) -> Case:
        body = base(operation) or {}
        parent = body[rule["at"]] if "at" in rule else body
        for name in gone:
            parent.pop(name, None)
        parent.update({name: copy.deepcopy(EXAMPLES[name]) for name in given})
        return Case(operation, rule["rule"], told, refused, body=body)

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


# --- the values of an environment

def resolved(value: Any, ids: Callable[[Listed | Most | Fresh], Any]) -> Any:
    """A query or a body with its placeholders replaced by values of the service."""
    if isinstance(value, (Listed, Most, Fresh)):
        return ids(value)
    if isinstance(value, dict):
        return {name: resolved(member, ids) for name, member in value.items()}
    return [resolved(item, ids) for item in value] if isinstance(value, list) else value
