"""Writes docs/compatibility.md from the route table and the documented surface: `python docs/compatibility.py`.

`--check` writes nothing and fails when the page is stale.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from modelarts._wire.v1.routes import ABSENT, BY_OPERATION, FULL, PARTIAL, ROUTES, Route

PAGE = Path(__file__).with_suffix(".md")
SURFACE = Path(__file__).parents[1] / "tests" / "contract" / "sdk_surface.json"

MARKS = {FULL: "full · 完整", PARTIAL: "partial · 部分", ABSENT: "no · 不支持"}

SERVED = ["Supported locally", "Limits"]

# Documented calls without a REST request.
OTHERS = {
    "Session": (FULL, "cloud logins with `modelarts local start --auth iam`"),
    "Session.set_endpoint": (FULL, "for cloud sessions"),
    "session.obs": (FULL, ""),
    "Environment": (FULL, "on the local service; in the cloud packages of pip only"),
    "CondaDependencies": (FULL, "see Environment"),
}

HEAD = """\
# Compatibility · 兼容性

<!-- Written by docs/compatibility.py from the route table and the documented surface: edit those, then run it. -->

Which operations of the documented v1 training API the local service supports, and the SDK calls that use them. Other
operations return HTTP 501 and name the call.

本机服务对文档中 v1 训练接口的支持情况。不支持的接口返回 HTTP 501，并给出接口名称。
"""


def page() -> str:
    """The text of the page."""
    calls = [row for row in rows() if row]
    counts = ", ".join(f"{sum(route.support == kind for route in ROUTES)} {kind}" for kind in (FULL, PARTIAL, ABSENT))
    return "\n".join([
        HEAD, f"## REST operations ({counts})", "", *table(["Operation", "Request", "Page", *SERVED], [
            [f"`{route.operation}`", f"`{route.method} {route.path}`", route.doc_id, MARKS[route.support], route.note]
            for route in ROUTES
        ]), "", "## SDK calls", "", *table(["Call", "Operation", *SERVED], calls), "",
    ])  # fmt: skip


def rows() -> list[list[str]]:
    """A row for each documented class and each documented method."""
    found = []
    for owner in json.loads(SURFACE.read_text(encoding="utf-8"))["classes"]:
        if owner["name"] in OTHERS:
            found.append([f"`{owner['name']}`", "", *support(*OTHERS[owner["name"]])])
        for method in owner["methods"]:
            name = f"{owner['name']}.{method['name']}"
            route = BY_OPERATION.get(method["rest_operation"] or "")
            found.append([f"`{name}`", f"`{route.operation}`" if route else "", *served(name, owner["name"], route)])
    return found


def served(name: str, owner: str, route: Route | None) -> list[str]:
    """Whether one method is supported, and its limits."""
    if route is not None:
        return support(route.support, route.note)
    return support(*OTHERS.get(name, OTHERS[owner]))


def support(kind: str, note: str) -> list[str]:
    return [MARKS[kind], note]


def table(head: list[str], body: list[list[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *body]
    return [f"| {' | '.join(line)} |" for line in lines]


if __name__ == "__main__":
    text = page()
    if "--check" not in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != text:
        sys.exit(f"{PAGE.name} is stale: run `python docs/{Path(__file__).name}`")
