"""All documented v1 training operations, one row each, for the SDK and the local service."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

FULL, PARTIAL, ABSENT = "full", "partial", "absent"


class Route(NamedTuple):
    """One operation: how it is called, where it is documented, how far the local service supports it."""

    operation: str
    method: str
    path: str
    doc_id: str
    support: str = FULL
    note: str = ""

    def url(self, endpoint: str, **values: object) -> str:
        """The URL of this operation; each value is percent-encoded as one path segment."""
        quoted = {name: quote(str(value), safe="") for name, value in values.items()}
        return endpoint + self.path.format(**quoted)


_CONFIGS = "/v1/{project_id}/training-job-configs"
_CONFIG = _CONFIGS + "/{config_name}"
_JOBS = "/v1/{project_id}/training-jobs"
_JOB = _JOBS + "/{job_id}"
_VERSIONS = _JOB + "/versions"
_VERSION = _VERSIONS + "/{version_id}"
_VISUALIZATIONS = "/v1/{project_id}/visualization-jobs"
_VISUALIZATION = _VISUALIZATIONS + "/{job_id}"

ROUTES = (
    Route("create_training_job_config", "POST", _CONFIGS, "modelarts_03_0058"),
    Route("list_training_job_configs", "GET", _CONFIGS, "modelarts_03_0059"),
    Route("get_training_job_config", "GET", _CONFIG, "modelarts_03_0062"),
    Route("update_training_job_config", "PUT", _CONFIG, "modelarts_03_0060"),
    Route("delete_training_job_config", "DELETE", _CONFIG, "modelarts_03_0061"),
    Route("create_training_job", "POST", _JOBS, "modelarts_03_0045", PARTIAL,
          "jobs run as processes or containers of this machine, without volumes, shared file systems or pools"),
    Route("list_training_jobs", "GET", _JOBS, "modelarts_03_0046"),
    Route("update_training_job_description", "PUT", _JOB, "modelarts_03_0052"),
    Route("delete_training_job", "DELETE", _JOB, "modelarts_03_0053"),
    Route("create_training_job_version", "POST", _VERSIONS, "modelarts_03_0050", PARTIAL,
          "see create_training_job"),
    Route("list_training_job_versions", "GET", _VERSIONS, "modelarts_03_0049"),
    Route("get_training_job_version", "GET", _VERSION, "modelarts_03_0047"),
    Route("stop_training_job_version", "POST", _VERSION + "/stop", "modelarts_03_0051"),
    Route("delete_training_job_version", "DELETE", _VERSION, "modelarts_03_0048"),
    Route("list_training_job_log_files", "GET", _VERSION + "/log/file-names", "modelarts_03_0054"),
    Route("get_training_job_log", "GET", _VERSION + "/aom-log", "modelarts_03_0149"),
    Route("get_training_job_log_bytes", "GET", _VERSION + "/log", "modelarts_03_0055"),
    Route("list_built_in_algorithms", "GET", "/v1/{project_id}/built-in-algorithms", "modelarts_03_0056"),
    Route("create_visualization_job", "POST", _VISUALIZATIONS, "modelarts_03_0064", PARTIAL,
          "TensorBoard with the extra `tensorboard`; MindInsight is not supported"),
    Route("list_visualization_jobs", "GET", _VISUALIZATIONS, "modelarts_03_0065"),
    Route("get_visualization_job", "GET", _VISUALIZATION, "modelarts_03_0066"),
    Route("update_visualization_job_description", "PUT", _VISUALIZATION, "modelarts_03_0067"),
    Route("delete_visualization_job", "DELETE", _VISUALIZATION, "modelarts_03_0068"),
    Route("stop_visualization_job", "POST", _VISUALIZATION + "/stop", "modelarts_03_0069"),
    Route("restart_visualization_job", "POST", _VISUALIZATION + "/restart", "modelarts_03_0070"),
    Route("list_job_resource_specs", "GET", "/v1/{project_id}/job/resource-specs", "modelarts_03_0072", PARTIAL,
          "`engine_id` and `project_type` are checked but do not filter: every flavor runs every engine"),
    Route("list_job_engines", "GET", "/v1/{project_id}/job/ai-engines", "modelarts_03_0073"),
    Route("list_pools", "GET", "/v1/{project_id}/pools", "—", PARTIAL,
          "not documented, for `Estimator.get_job_pool_list`: there are no dedicated pools on this machine"),
)

BY_OPERATION = {route.operation: route for route in ROUTES}
