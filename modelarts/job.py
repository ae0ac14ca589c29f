"""Handles of what exists: a version of a training job, or a saved configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from modelarts._jobs.pagination import VERSION_COLUMNS, doc_default, is_set, show
from modelarts._submit import checks
from modelarts._transport.response import Response, required, rows_of
from modelarts._wire import json_records
from modelarts._wire.v1 import limits
from modelarts.errors import ArgumentError, ArgumentProblem

if TYPE_CHECKING:
    from modelarts._api.replies import ConfigInfo, JobInfo, LogFiles, LogLines, VersionList
    from modelarts._wire.v1.status import JobStatus
    from modelarts.session import Session

__all__ = ["TrainingJob"]


class JobCalls:
    """The documented calls on one job, one version or one configuration."""

    modelarts_session: Session
    job_id: int | str | None
    version_id: int | str | None
    config_name: str | None

    # --- one version

    def get_job_info(self) -> JobInfo:
        """Read this version of the job (modelarts_04_0161).

        Returns:
            A response with `status`, `duration` in milliseconds, `parameter`, `train_url`, `log_url` and the other
            documented members; `model_metric_list` and `system_metric_list` are decoded.

        Raises:
            ArgumentError: `job_id` or `version_id` is missing or no id; nothing was sent.
        """
        info: JobInfo = self._call("get_training_job_version", self._version("get_job_info"))
        decode_metrics(info)
        return info

    def get_job_state(self) -> JobStatus:
        """Read the status of this version.

        Returns:
            An integer that indexes `JOB_STATE`; its `name` is that of the status.

        Raises:
            ArgumentError: `job_id` or `version_id` is missing or no id; nothing was sent.
            ApiError: the service refused.
        """
        path = self._version("get_job_state")
        return cast("JobStatus", required(self._call("get_training_job_version", path, raise_on_error=True), "status"))

    def wait(self, timeout: float | None = None, show: bool = True) -> JobInfo:
        """Wait until this version has ended, and show its log and each new status meanwhile.

        Args:
            timeout: seconds to wait for the end at most; `None` waits without limit. The rest of the log of a version
                that has ended is shown after that time, too; for it, a service that is unreachable is retried for a
                minute.
            show: `False` prints nothing and does not read the log.

        Returns:
            What `get_job_info` returns after the end.

        Raises:
            JobFailed, JobStopped, JobLost: it ended in another status than COMPLETED; the error has the last lines of
                the log.
            JobTimeout: it has not ended in time; it continues.
            ArgumentError: an id or `timeout` breaks a rule; nothing was sent.
            ConnectionFailed, Unavailable, AuthError: the service was unreachable for too long: 30 minutes, or one
                minute for refused credentials.
        """
        from modelarts._jobs import follow

        seconds = None if timeout is None else checks.seconds("timeout", timeout)
        version = self._version("wait", seconds, checks.flag("show", show))
        info = follow.wait(self._session.client, **version, timeout=timeout, show=show)
        decode_metrics(info)
        return cast("JobInfo", info)

    def stop_job_version(self) -> Response:
        """Stop this version; allowed while it has not ended (modelarts_04_0171).

        Returns:
            A response; refused with `ModelArts.0105` when the version has ended.

        Raises:
            ArgumentError: `job_id` or `version_id` is missing or no id; nothing was sent.
        """
        reply: Response = self._call("stop_training_job_version", self._version("stop_job_version"))
        return reply

    def get_job_log_file_list(self) -> LogFiles:
        """List the log files of this version, one for each node (modelarts_04_0163).

        Returns:
            A response whose `log_file_list` is a list of names.

        Raises:
            ArgumentError: `job_id` or `version_id` is missing or no id; nothing was sent.
        """
        files: LogFiles = self._call("list_training_job_log_files", self._version("get_job_log_file_list"))
        name = files.get("log_file_list")
        if isinstance(name, str):  # the REST table says String, its sample is an array (LOGLIST)
            files["log_file_list"] = [name]
        return files

    def get_job_log(
        self,
        log_file: str,
        start_byte: int = doc_default(0),
        offset: int = doc_default(2048),
        base_line: str | int | None = None,
        lines: int | None = None,
        order: str | None = None,
    ) -> LogLines:
        """Read from a log file of this version (modelarts_04_0164).

        By default, and with `base_line`, `lines` or `order`, it reads by line; with `start_byte` or `offset`
        by byte.

        Args:
            log_file: a name that `get_job_log_file_list` returned.
            start_byte: byte to start at; -1 means the newest bytes.
            offset: how many bytes, -2048 to 2048.
            base_line: a position: `start_line` or `end_line` of an earlier reply; by default the newest lines are read.
            lines: how many lines, 0 to 500; the default is 50.
            order: `desc` reads forward from `base_line`, `asc` backward.

        Returns:
            A response with `content`, `lines`, `start_line` and `end_line`.

        Raises:
            ArgumentError: an argument breaks a rule; nothing was sent.
        """
        by_line = {"base_line": base_line, "lines": lines, "order": order}
        version = self._version(
            "get_job_log",
            _log_name(log_file),
            None if base_line is None else checks.text("base_line", base_line),
            None if lines is None else checks.number("lines", lines, 0, limits.LOG_LINES),
            None if order is None else checks.choice("order", order, *limits.LOG_ORDERS),
            checks.number("start_byte", start_byte, -1) if is_set(start_byte) else None,
            checks.number("offset", offset, -limits.LOG_BYTES, limits.LOG_BYTES) if is_set(offset) else None,
        )
        log: LogLines
        if not (is_set(start_byte) or is_set(offset)):
            log = self._call("get_training_job_log", version, {"log_file": log_file, **by_line})
            return log
        if any(value is not None for value in by_line.values()):
            rule = "start_byte and offset read by byte: they exclude base_line, lines and order"
            raise ArgumentError("get_job_log", [ArgumentProblem("start_byte", start_byte, rule)])
        start, count = 0 if start_byte is None else start_byte, limits.LOG_BYTES if offset is None else offset
        query = {"log_file": log_file, "start_byte": int(start), "offset": int(count)}
        log = _as_lines(self._call("get_training_job_log_bytes", version, query))
        return log

    def delete_job_version(self) -> Response:
        """Delete this version; one that has not ended is stopped first (modelarts_04_0172).

        Returns:
            A response.

        Raises:
            ArgumentError: `job_id` or `version_id` is missing or no id; nothing was sent.
        """
        reply: Response = self._call("delete_training_job_version", self._version("delete_job_version"))
        return reply

    # --- one job

    def update_job_description(self, description: str) -> Response:
        """Change the description of the job (modelarts_04_0162).

        Args:
            description: at most 256 characters.

        Returns:
            A response.

        Raises:
            ArgumentError: the description is too long, or `job_id` is missing or no id; nothing was sent.
        """
        path = self._job("update_job_description", checks.description("description", description))
        reply: Response = self._call("update_training_job_description", path, body={"job_desc": description})
        return reply

    def delete_job(self) -> Response:
        """Delete the job with all its versions; those that have not ended are stopped first (modelarts_04_0166).

        Returns:
            A response.

        Raises:
            ArgumentError: `job_id` is missing or no id; nothing was sent.
        """
        reply: Response = self._call("delete_training_job", self._job("delete_job"))
        return reply

    def get_job_version_object_list(self, is_show: bool = True) -> list[TrainingJob]:
        """List the versions of the job as handles (modelarts_04_0169).

        Args:
            is_show: also print them as a table.

        Returns:
            A handle of each version, newest first.

        Raises:
            ArgumentError: `job_id` is missing or no id; nothing was sent.
            ApiError: the service refused.
        """
        path = self._job("get_job_version_object_list")
        reply = self._call("list_training_job_versions", path, raise_on_error=True)
        rows = rows_of(reply, "versions")
        show(rows, VERSION_COLUMNS, is_show)
        job_id, job_name = reply.get("job_id", self.job_id), reply.get("job_name")
        return [version_handle(self._session, job_id, row, job_name) for row in rows]

    def get_job_version_info(self) -> VersionList:
        """Read all versions of the job (modelarts_04_0170).

        Returns:
            A response with `job_name`, `version_count` and `versions`, newest first.

        Raises:
            ArgumentError: `job_id` is missing or no id; nothing was sent.
        """
        listed: VersionList = self._call("list_training_job_versions", self._job("get_job_version_info"))
        for version in listed.get("versions") or ():
            decode_metrics(version)
        return listed

    # --- one configuration

    def get_job_configs_info(self) -> ConfigInfo:
        """Read this saved configuration (modelarts_04_0177).

        Returns:
            A response with the settings under their REST names, such as `train_url` and `parameter`.

        Raises:
            ArgumentError: `config_name` is missing; nothing was sent.
        """
        info: ConfigInfo = self._call("get_training_job_config", self._config("get_job_configs_info"))
        return info

    def delete_job_configs(self) -> Response:
        """Delete this saved configuration (modelarts_04_0179).

        Returns:
            A response.

        Raises:
            ArgumentError: `config_name` is missing; nothing was sent.
        """
        reply: Response = self._call("delete_training_job_config", self._config("delete_job_configs"))
        return reply

    # --- helpers

    @property
    def _session(self) -> Session:
        """The session that the job belongs to."""
        return self.modelarts_session

    def _call(self, operation: str, *arguments: Any, **options: Any) -> Any:
        """Make a call; type checkers learn from the caller which members its reply has."""
        return self._session.client.call(operation, *arguments, **options)

    def _job(self, call: str, *problems: ArgumentProblem | None) -> dict[str, Any]:
        """The path to the job; raises with all problems of a call's arguments, those of the ids included."""
        checks.raise_if_any(call, _identifier("job_id", self.job_id), *problems)
        return {"job_id": self.job_id}

    def _version(self, call: str, *problems: ArgumentProblem | None) -> dict[str, Any]:
        path = self._job(call, _identifier("version_id", self.version_id), *problems)
        return {**path, "version_id": self.version_id}

    def _config(self, call: str) -> dict[str, Any]:
        checks.raise_if_any(call, checks.name("config_name", self.config_name, _how_to_get("config_name")))
        return {"config_name": self.config_name}


def _log_name(value: Any) -> ArgumentProblem | None:
    if isinstance(value, str) and value:
        return None
    return ArgumentProblem("log_file", value, "a name that get_job_log_file_list returned")


def _identifier(argument: str, value: Any) -> ArgumentProblem | None:
    return checks.identifier(argument, value, _how_to_get(argument))


def _how_to_get(argument: str) -> str:
    create = "create_job_configs" if argument == "config_name" else "fit"
    return f"pass {argument}=… to Estimator, or call {create} first"


class TrainingJob(JobCalls):
    """A version of a training job, or a saved configuration, as `fit` and other calls return it.

    Args:
        modelarts_session: the session to use.
        job_id, version_id: the version: numbers, or texts of their digits; left out for a configuration.
        config_name: the configuration; left out for a version.
        job_name, version_name: names for display, where they are known.
        train_url, inputs, dataset_id, dataset_version_id, data_source: output and input data of the version, as in the
            REST documents, where they are known.

    Attributes have the names of the arguments. Other members of the body and the reply, or of the row of a list, that a
    handle comes from can be read, too, as they were then: `status`, `create_time`, `log_url` and others.

    Raises:
        ArgumentError: `modelarts_session` is not a session.

    Example:
        >>> job = TrainingJob(session, job_id=10, version_id=20)
        >>> job.wait(timeout=3600)
    """

    _members: Mapping[str, Any] = {}

    def __init__(
        self,
        modelarts_session: Session,
        job_id: int | str | None = None,
        version_id: int | str | None = None,
        config_name: str | None = None,
        job_name: str | None = None,
        version_name: str | None = None,
        *,
        train_url: str | None = None,
        inputs: str | None = None,
        dataset_id: str | None = None,
        dataset_version_id: str | None = None,
        data_source: list[Any] | None = None,
    ) -> None:
        checks.check_session("TrainingJob", modelarts_session)
        self.modelarts_session = modelarts_session
        self.job_id = job_id
        self.version_id = version_id
        self.config_name = config_name
        self.job_name = job_name
        self.version_name = version_name
        self.train_url = train_url
        self.inputs = inputs
        self.dataset_id = dataset_id
        self.dataset_version_id = dataset_version_id
        self.data_source = data_source

    if not TYPE_CHECKING:  # a class with this method may have any attribute, as far as type checkers know

        def __getattr__(self, name: str) -> Any:
            if name in self._members:
                return self._members[name]
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        if self.config_name is not None:
            return f"TrainingJob(config_name={self.config_name!r})"
        named = f", job_name={self.job_name!r}" if self.job_name else ""
        return f"TrainingJob(job_id={self.job_id!r}, version_id={self.version_id!r}{named})"


def version_handle(
    session: Session, job_id: int | str | None, row: Mapping[str, Any], job_name: str | None
) -> TrainingJob:
    """The handle of a version, as a list or the body that created it has it."""
    known = {name: row.get(name) for name in ("train_url", "dataset_id", "dataset_version_id", "data_source")}
    job = TrainingJob(
        session, job_id, row.get("version_id"), job_name=job_name, version_name=row.get("version_name"),
        inputs=row.get("data_url"), **known,
    )  # fmt: skip
    job._members = row
    return job


def decode_metrics(members: dict[str, Any]) -> None:
    """Decode metric lists that came as JSON text; those that came as objects stay (METRIC)."""
    for name in ("model_metric_list", "system_metric_list"):
        if isinstance(members.get(name), str):
            try:
                members[name] = json_records.parse(members[name] or "{}")
            except ValueError:
                continue  # a text that is not JSON stays a text


def _as_lines(response: Response) -> Any:
    """The reply of the byte call, with the members that the documents give `get_job_log` (LOGAPI)."""
    text = response.get("log")
    if text is not None:
        end = response.get("end_byte") or 0
        count = response.get("log_byte_count") or len(text.encode())
        response.update(content=text, lines=len(text.splitlines()), start_line=str(end - count), end_line=str(end))
    return response
