"""The catalog: flavors, engines, built-in algorithms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from modelarts.local.api.handlers.context import Call, ResponseBody

ALGORITHM_SORTS = (
    "engine", "model_name", "model_precision", "model_usage", "model_size", "create_time", "parameter",
)  # fmt: skip


def specs(call: Call) -> ResponseBody:
    call.choice("job_type", "train", ("train", "inference"))
    call.number("engine_id", 0, 0)
    call.number("project_type", 0, 0)  # the documents do not list all values (PROJTYPE)
    rows = list(call.service.catalog.specs.values())
    return {"spec_total_count": len(rows), "specs": rows}


def engines(call: Call) -> ResponseBody:
    call.choice("job_type", "train", ("train", "inference"))
    return {"engines": list(call.service.catalog.engines.values())}


def pools(call: Call) -> ResponseBody:
    return {"pool_total_count": 0, "pools": []}


def algorithms(call: Call) -> ResponseBody:
    search = call.query.get("search_content", "")
    per_page, page = call.number("per_page", 10, 1, 100), call.number("page", 1, 1)
    sort = call.choice("sortBy", call.choice("sort_by", "engine", ALGORITHM_SORTS), ALGORITHM_SORTS)
    descending = call.choice("order", "desc", ("asc", "desc")) == "desc"
    rows = [row for row in call.service.catalog.algorithms.values() if search in row["model_name"]]
    key = "engine_name" if sort == "engine" else sort
    rows.sort(key=lambda row: (_sortable(row[key]), row["model_id"]), reverse=descending)
    shown = rows[(page - 1) * per_page : page * per_page]
    return {"model_total_count": len(rows), "models": [_row(row) for row in shown]}


def _row(row: Mapping[str, Any]) -> ResponseBody:
    shown = {name: value for name, value in row.items() if name not in ("script", "arguments")}
    return {**shown, "parameter": json.dumps(row["parameter"], ensure_ascii=False)}


def _sortable(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list) else value
