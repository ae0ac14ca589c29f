"""Visualization jobs: TensorBoard over the event files of a training (modelarts_04_0181)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from modelarts._jobs.pagination import ROWS, VISUALIZATION_COLUMNS, VISUALIZATIONS, doc_default, iterate, show
from modelarts._submit import checks
from modelarts._transport.response import Response, required, rows_of
from modelarts._wire.v1 import limits
from modelarts._wire.v1.status import KILLING, RUNNING
from modelarts.errors import ApiError, ArgumentProblem

if TYPE_CHECKING:
    from modelarts._api.replies import VisualizationInfo, VisualizationList, VisualizationRow
    from modelarts.session import Session

__all__ = ["VisualizationJob"]

_WRONG_STATE = "ModelArts.0105"
_PATIENCE = 60.0  # seconds until one that is being stopped has ended
_SCHEDULE_RULE = f'{{"type": "stop", "time_unit": "HOURS", "duration": 0 to {limits.VISUALIZATION_HOURS}}}, or None'


class VisualizationJob:
    """A visualization job to be created or managed.

    Args:
        modelarts_session: the session to use.
        visualization_id, job_id: id of an existing one; left out for `create_visualization_job`.
        job_name, status, create_time, is_success: members of an existing one, where they are known.

    Attributes:
        visualization_id, job_id: the same id.
        job_name, status, create_time, is_success: as they were when the handle was created; `create_time` in
            milliseconds since 1970. After `create_visualization_job` they are those of the new visualization job.

    Raises:
        ArgumentError: `modelarts_session` is not a session.

    Example:
        >>> job = VisualizationJob(session).create_visualization_job(train_url="/bucket/output/")
        >>> info = job.get_visualization_job_info()  # once its status is RUNNING, service_url can be opened
    """

    def __init__(
        self,
        modelarts_session: Session,
        visualization_id: int | str | None = None,
        *,
        job_id: int | str | None = None,
        job_name: str | None = None,
        status: int | None = None,
        create_time: int | None = None,
        is_success: bool | None = None,
    ) -> None:
        checks.check_session("VisualizationJob", modelarts_session)
        self.modelarts_session = modelarts_session
        self.visualization_id = job_id if visualization_id is None else visualization_id
        self.job_name = job_name
        self.status = status
        self.create_time = create_time
        self.is_success = is_success

    @property
    def job_id(self) -> int | str | None:
        """The id under its other documented name."""
        return self.visualization_id

    def create_visualization_job(
        self,
        train_url: str,
        job_name: str | None = None,
        job_desc: str | None = None,
        *,
        job_type: str | None = None,
        schedule: Any = None,
        flavor: dict[str, str] | None = None,
        wait: bool = False,
    ) -> VisualizationJob:
        """Create and start a visualization job (modelarts_04_0181).

        Args:
            train_url: OBS folder of the files `events.out.tfevents…`.
            job_name: 1 to 20 letters, digits, `_` or `-`; generated from the date by default.
            job_desc: at most 256 characters.
            job_type: `tensorboard` (the default) or `mindinsight`.
            schedule: when it ends by itself, as `{"type": "stop", "time_unit": "HOURS", "duration": 4}`.
            flavor: `{"code": …}`; usually left out.
            wait: wait until it runs or has failed, and show each new status.

        Scripts in the order of the documents' table pass `job_name, job_desc, train_url` without names; this order
        works, too.

        Returns:
            A handle of the new visualization job. This object refers to it, too.

        Raises:
            ArgumentError: one or more arguments break a rule; nothing was sent.
            ApiError: the service refused; `NameTaken` when one of that name exists.
            OutcomeUnknown: no reply came, and the visualization job was not found afterwards for certain.
        """
        from modelarts._submit import idempotent_create

        if job_desc is not None and _is_path(job_desc) and not _is_path(train_url):
            train_url, job_name, job_desc = job_desc, train_url, job_name
        checks.raise_if_any("create_visualization_job", checks.flag("wait", wait))
        body = self._body(train_url, job_name, job_desc, job_type, schedule, flavor)
        row = idempotent_create.create_visualization(
            self.modelarts_session.client, body, generated=checks.is_missing(job_name)
        )
        created = _handle(self.modelarts_session, {"job_name": body["job_name"], **row})
        vars(self).update(vars(created))
        if wait:
            created._wait_for_start()
        return created

    def _wait_for_start(self) -> None:
        from modelarts._display.screen import Screen

        screen = Screen()
        for pause in _pauses():
            info = self._call("get_visualization_job", self._path("create_visualization_job"), raise_on_error=True)
            self.status = status = required(info, "status")
            screen.status(status)
            if status == RUNNING or status.ended:
                break
            time.sleep(pause)
        if status.ended:
            screen.say(f"visualization job {self.job_name} did not start: {info.get('error_result') or 'no reason'}")

    def _body(
        self, train_url: Any, job_name: Any, job_desc: Any, job_type: Any, schedule: Any, flavor: Any
    ) -> dict[str, Any]:
        from modelarts._obs.paths import ObsPath

        name = f"vis-{time.strftime('%m%d-%H%M%S')}" if checks.is_missing(job_name) else job_name
        problems: list[ArgumentProblem | None] = []
        if not isinstance(name, str) or not limits.VISUALIZATION_NAME.fullmatch(name):
            problems.append(ArgumentProblem("job_name", name, limits.VISUALIZATION_NAME_RULE))
        if job_desc is not None:
            problems.append(checks.description("job_desc", job_desc))
        job_type = job_type.lower() if isinstance(job_type, str) else job_type
        if job_type is not None:
            problems.append(checks.choice("job_type", job_type, *limits.VISUALIZATION_TYPES))
        schedules = [] if schedule is None else list(schedule) if isinstance(schedule, (list, tuple)) else [schedule]
        if len(schedules) > 1 or not all(map(_is_stop, schedules)):
            problems.append(ArgumentProblem("schedule", schedule, _SCHEDULE_RULE))
        if flavor is not None and not checks.has_code(flavor):
            problems.append(ArgumentProblem("flavor", flavor, '{"code": …}, or None'))
        body = {"job_name": name}
        try:
            body["train_url"] = ObsPath.given(train_url).as_dir.api
        except (TypeError, ValueError) as error:
            problems.append(ArgumentProblem("train_url", train_url, str(error)))
        checks.raise_if_any("create_visualization_job", *problems)
        optional = {
            "job_desc": job_desc, "job_type": job_type, "flavor": flavor,
            "schedule": schedules or None,
        }  # fmt: skip
        return {**body, **{name: value for name, value in optional.items() if value is not None}}

    def get_visualization_job_info(self) -> VisualizationInfo:
        """Read this visualization job (modelarts_04_0184).

        Returns:
            A response with `status`, `service_url`, `train_url` and the other documented members. While the status is
            RUNNING, `service_url` is the address of TensorBoard.

        Raises:
            ArgumentError: `visualization_id` is missing or no id; nothing was sent.
        """
        info: VisualizationInfo = self._call("get_visualization_job", self._path("get_visualization_job_info"))
        return info

    def update_visualization_job(self, job_desc: str) -> Response:
        """Change the description of this visualization job (modelarts_04_0185).

        Args:
            job_desc: at most 256 characters.

        Returns:
            A response.

        Raises:
            ArgumentError: the description is too long, or `visualization_id` is missing or no id; nothing was sent.
        """
        path = self._path("update_visualization_job", checks.description("job_desc", job_desc))
        reply: Response = self._call("update_visualization_job_description", path, body={"job_desc": job_desc})
        return reply

    def stop_visualization_job(self) -> Response:
        """Stop this visualization job (modelarts_04_0186).

        Returns:
            A response; refused when it has ended.

        Raises:
            ArgumentError: `visualization_id` is missing or no id; nothing was sent.
        """
        reply: Response = self._call("stop_visualization_job", self._path("stop_visualization_job"))
        return reply

    def restart_visualization_job(self) -> Response:
        """Start this visualization job again (modelarts_04_0187).

        Returns:
            A response; refused while it has not ended.

        Raises:
            ArgumentError: `visualization_id` is missing or no id; nothing was sent.
        """
        reply: Response = self._call("restart_visualization_job", self._path("restart_visualization_job"))
        return reply

    def delete_visualization_job(self) -> Response:
        """Delete this visualization job; a running one is stopped first (modelarts_04_0188).

        One that is being stopped cannot be deleted: this waits for its end, up to a minute, and then deletes it.

        Returns:
            A response.

        Raises:
            ArgumentError: `visualization_id` is missing or no id; nothing was sent.
        """
        path = self._path("delete_visualization_job")
        reply: Response
        try:
            reply = self._call("delete_visualization_job", path)
        except ApiError as error:
            if error.code != _WRONG_STATE or not self._has_ended(path):
                raise
        else:
            if reply.get("error_code") != _WRONG_STATE or not self._has_ended(path):
                return reply
        reply = self._call("delete_visualization_job", path)
        return reply

    def _has_ended(self, path: dict[str, object]) -> bool:
        """Wait while it is being stopped. Returns whether it has ended then."""
        deadline = time.monotonic() + _PATIENCE
        for pause in _pauses():
            try:
                status = self._call("get_visualization_job", path, raise_on_error=True)["status"]
            except ApiError:  # there is none
                return False
            if status != KILLING or time.monotonic() > deadline:
                break
            time.sleep(pause)
        return bool(status.ended)

    @staticmethod
    @checks.on_session
    def get_visualization_job_list(
        modelarts_session: Session,
        status: Any = None,
        per_page: int = doc_default(10),
        page: int = doc_default(1),
        sort_by: str = doc_default("job_name"),
        order: str = doc_default("asc"),
        search_content: str = doc_default(""),
        *,
        sortBy: str | None = None,
        workspace_id: str | None = None,
    ) -> VisualizationList:
        """List visualization jobs, one page (modelarts_04_0183).

        Arguments that are left out are not sent: the service uses its own defaults.

        Args:
            modelarts_session: the session to use.
            status: a number, a name such as `RUNNING`, or a list of them.
            per_page: rows of a page, 1 to 1000.
            page: number of the page, from 1.
            sort_by, sortBy: job_id, job_name, job_desc, status, duration, create_time or log_dir.
            order: asc or desc.
            search_content: part of the name, at most 100 characters.
            workspace_id: only those of this workspace.

        Returns:
            A response with `job_total_count` and `jobs`.

        Raises:
            ArgumentError: an argument breaks a rule; nothing was sent.
        """
        query = VISUALIZATIONS.query(
            status=status, per_page=per_page, page=page, sort_by=sort_by, sortBy=sortBy, order=order,
            search_content=search_content, workspace_id=workspace_id,
        )  # fmt: skip
        return cast("VisualizationList", modelarts_session.client.call(VISUALIZATIONS.operation, query=query))

    @staticmethod
    @checks.on_session
    def get_visualization_job_object_list(
        modelarts_session: Session,
        status: Any = None,
        per_page: int = doc_default(10),
        page: int = doc_default(1),
        sort_by: str = doc_default("job_name"),
        order: str = doc_default("asc"),
        search_content: str = doc_default(""),
        is_show: bool = True,
        *,
        sortBy: str | None = None,
    ) -> list[VisualizationJob]:
        """List visualization jobs as handles, one page (modelarts_04_0182).

        Args:
            modelarts_session: the session to use.
            status, per_page, page, sort_by, sortBy, order, search_content: as for `get_visualization_job_list`.
            is_show: also print them as a table.

        Returns:
            A handle of each visualization job.

        Raises:
            ArgumentError: an argument breaks a rule; nothing was sent.
            ApiError: the service refused.
        """
        query = VISUALIZATIONS.query(
            status=status, per_page=per_page, page=page, sort_by=sort_by, sortBy=sortBy, order=order,
            search_content=search_content,
        )  # fmt: skip
        reply = modelarts_session.client.call(VISUALIZATIONS.operation, query=query, raise_on_error=True)
        rows = rows_of(reply, VISUALIZATIONS.rows)
        show(rows, VISUALIZATION_COLUMNS, is_show)
        return [_handle(modelarts_session, row) for row in rows]

    @staticmethod
    @checks.on_session
    def iter_visualization_jobs(
        modelarts_session: Session,
        status: Any = None,
        per_page: int = ROWS,
        sort_by: str = "create_time",
        order: str = "asc",
        search_content: str | None = None,
        *,
        sortBy: str | None = None,
        workspace_id: str | None = None,
    ) -> Iterator[VisualizationRow]:
        """Iterate over all visualization jobs, each once.

        Args:
            modelarts_session: the session to use.
            per_page: rows of each request, 1 to 1000.
            status, sort_by, sortBy, order, search_content, workspace_id: as for `get_visualization_job_list`.

        Returns:
            An iterator over the rows that `get_visualization_job_list` has in `jobs`.

        Raises:
            ArgumentError: an argument breaks a rule; nothing was sent.
            ApiError: while iterating, when the service refuses a page.
        """
        rows = iterate(
            modelarts_session.client, VISUALIZATIONS, status=status, per_page=per_page, sort_by=sort_by, sortBy=sortBy,
            order=order, search_content=search_content, workspace_id=workspace_id,
        )  # fmt: skip
        return cast("Iterator[VisualizationRow]", rows)

    def _call(self, operation: str, *path: Any, **options: Any) -> Any:
        """Make a call; type checkers learn from the caller which members its reply has."""
        return self.modelarts_session.client.call(operation, *path, **options)

    def _path(self, call: str, *problems: ArgumentProblem | None) -> dict[str, object]:
        how_to_get = "pass visualization_id=… to VisualizationJob, or call create_visualization_job first"
        checks.raise_if_any(call, checks.identifier("visualization_id", self.visualization_id, how_to_get), *problems)
        return {"job_id": self.visualization_id}

    def __repr__(self) -> str:
        return f"VisualizationJob(visualization_id={self.visualization_id!r}, job_name={self.job_name!r})"


def _is_path(value: Any) -> bool:
    """Whether a text looks like a path in a bucket; names have no slash."""
    return isinstance(value, str) and "/" in value


def _pauses() -> Iterator[float]:
    """Seconds between looks at a status: more and more, up to 3."""
    pause = 0.1
    while True:
        yield pause
        pause = min(pause * 1.5, 3.0)


def _is_stop(schedule: Any) -> bool:
    if not isinstance(schedule, dict):
        return False
    unit = schedule.get("time_unit", schedule.get("timeUnit"))  # both are printed (SCHEDULE)
    known = str(schedule.get("type")).lower() == "stop" and str(unit).upper() == "HOURS"
    return known and checks.number("duration", schedule.get("duration"), 0, limits.VISUALIZATION_HOURS) is None


def _handle(session: Session, row: Mapping[str, Any]) -> VisualizationJob:
    return VisualizationJob(
        session, row["job_id"], job_name=row.get("job_name"), status=row.get("status"),
        create_time=row.get("create_time"), is_success=row.get("is_success", True),
    )  # fmt: skip
