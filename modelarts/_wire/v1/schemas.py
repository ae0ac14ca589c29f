"""What a successful reply must have: the members that callers rely on, and no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Callable, NamedTuple

from modelarts._wire.v1 import parameters
from modelarts._wire.v1.status import JobStatus

Check = Callable[[Any], bool]


def is_id(value: Any) -> bool:
    """Whether a value can be the id of a job, a version or the like."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_status(value: Any) -> bool:
    return isinstance(value, JobStatus)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _are_names(value: Any) -> bool:
    """One name, as in the table of the documents, or a list of names, as in their sample (LOGLIST)."""
    return isinstance(value, str) or (isinstance(value, list) and all(map(_is_text, value)))


def _optional(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _rows(**members: Check) -> Check:
    """A list of objects, each with these members."""

    def are_rows(value: Any) -> bool:
        return isinstance(value, list) and all(
            isinstance(row, dict) and all(check(row.get(name)) for name, check in members.items()) for row in value
        )

    return _optional(are_rows)


def _are_parameters(value: Any) -> bool:
    try:
        return all(isinstance(name, str) for name, _ in parameters.pairs(value))
    except ValueError:
        return False


class Shape(NamedTuple):
    """A successful reply of one operation.

    Args:
        any_of: members one of which a reply has if it has no `is_success`; without any, it is not a reply to this call.
        members: the rule for the value of each; the value of a missing one is `None`.
    """

    any_of: tuple[str, ...] = ()
    members: Mapping[str, Check] = {}

    def wrong_members(self, reply: Mapping[str, Any]) -> Iterator[str]:
        """The members that break their rule."""
        return (name for name, check in self.members.items() if not check(reply.get(name)))


_TEXT, _COUNT = _optional(_is_text), _optional(_is_count)
_JOBS = Shape(("jobs",), {"jobs": _rows(job_id=is_id)})
_CREATED = {"job_id": is_id}

# Operations that are not listed here reply with `is_success` alone.
SHAPES: Mapping[str, Shape] = {
    "list_training_job_configs": Shape(("configs",), {"configs": _rows(config_name=_is_name)}),
    "get_training_job_config": Shape(("config_name", "app_url", "spec_code", "engine_id")),
    "create_training_job": Shape(("job_id",), {**_CREATED, "version_id": _optional(is_id)}),
    "list_training_jobs": _JOBS,
    "create_training_job_version": Shape(("version_id",), {"version_id": is_id, "job_id": _optional(is_id)}),
    "list_training_job_versions": Shape(("versions",), {"versions": _rows(version_id=is_id)}),
    "get_training_job_version": Shape(("job_id", "status"), {"status": _optional(_is_status)}),
    "list_training_job_log_files": Shape(("log_file_list",), {"log_file_list": _optional(_are_names)}),
    "get_training_job_log": Shape(
        ("lines", "start_line", "end_line"),
        {"content": _TEXT, "lines": _COUNT,
         "start_line": _TEXT, "end_line": _TEXT},
    ),
    "get_training_job_log_bytes": Shape(
        ("log",),
        {"log": _TEXT, "end_byte": _COUNT, "log_byte_count": _COUNT},
    ),
    "list_built_in_algorithms": Shape(("models",), {"models": _rows(model_id=_is_count, model_name=_is_text)}),
    "create_visualization_job": Shape(("job_id",), _CREATED),
    "list_visualization_jobs": _JOBS,
    "get_visualization_job": Shape(("job_id", "service_url", "status"), {"status": _optional(_is_status)}),
    "list_job_resource_specs": Shape(
        ("specs",), {"specs": _rows(spec_id=_is_count, spec_code=_is_text, max_num=_COUNT)}
    ),
    "list_pools": Shape(("pools",), {"pools": _rows()}),
    "list_job_engines": Shape(
        ("engines",), {"engines": _rows(engine_id=_is_count, engine_name=_is_text, engine_version=_is_text)}
    ),
}  # fmt: skip

# What `from_job_configs` makes arguments of; a call that only returns a configuration takes it as it is.
SAVED_CONFIG = Shape(
    members={
        **dict.fromkeys(("worker_server_num", "spec_id", "engine_id", "model_id"), _COUNT),
        **dict.fromkeys(
            ("app_url", "boot_file_url", "data_url", "dataset_id", "dataset_version_id", "engine_name",
             "engine_version", "log_url", "nas_mount_path", "nas_share_addr", "nas_type", "spec_code", "train_url",
             "user_command", "user_image_url"), _TEXT,
        ),
        "parameter": _are_parameters, "data_source": _rows(), "volumes": _rows(),
        "environment_variables": _optional(_is_object), "pool_id": lambda value: _TEXT(value) or _is_count(value),
    }
)  # fmt: skip
