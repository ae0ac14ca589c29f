"""Configure, start and manage training (modelarts_04_0131)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelarts._jobs import listing
from modelarts._jobs.pagination import CONFIG_COLUMNS, CONFIGS, doc_default, show
from modelarts._submit import checks
from modelarts._submit.strict_attributes import StrictAttributes
from modelarts._submit.training import Training
from modelarts._transport.response import bad_member, rows_of
from modelarts._wire.v1.operations import CREATE_CONFIG, CREATE_JOB, CREATE_VERSION, UPDATE_CONFIG
from modelarts._wire.v1.status import JOB_STATE
from modelarts.errors import ArgumentError, ArgumentProblem, JobTimeout, shortened
from modelarts.job import JobCalls, TrainingJob, version_handle
from modelarts.visualization import VisualizationJob

if TYPE_CHECKING:
    import os

    from modelarts._submit.staging.staging import Staging
    from modelarts._transport.response import Response
    from modelarts.environment import Environment
    from modelarts.session import Session

__all__ = ["JOB_STATE", "Estimator", "TrainingJob", "VisualizationJob"]


class Estimator(StrictAttributes, Training, JobCalls):
    """A training to be configured, started and managed (modelarts_04_0131, modelarts_04_0168, modelarts_04_0174).

    Args:
        modelarts_session: the session to use.
        train_instance_count: number of nodes, from 1 to the flavor's `max_num`.
        train_instance_type: flavor code, as `get_train_instance_types` lists them. `local` is this machine, whatever
            the session is: the job runs on the local service, and its framework, `inputs` and `output_path` may be
            left out (modelarts_04_0222).
        output_path: OBS folder for the output, such as `/bucket/output/`. A name with an extension and no slash at its
            end, such as `/bucket/output/result.json`, stays that of a file.
        code_dir: OBS folder of the code, such as `/bucket/src/`; a local folder (relative text or a `Path`) is
            uploaded.
        boot_file: script in `code_dir` to start; a name without folders means a file in it.
        model_name: a built-in algorithm, in place of code and framework.
        framework_type, framework_version: the engine, as `get_framework_list` lists them.
        hyperparameters: a dict, or a list of `{"label": …, "value": …}`; values are converted to text, see `payload`.
        log_url: OBS folder for the logs.
        job_description: at most 256 characters.
        user_image_url, user_command: a custom image and its start command.
        environment: an `Environment`: the packages, and the Python, that the script runs with on the local service. It
            takes the place of `framework_type` and `framework_version` there. In the cloud, packages of pip are sent
            as `pip-requirements.txt` with a local `code_dir`, and packages of conda are refused.
        job_id, version_id: an existing job or version to work on: numbers, or texts of their digits.
        config_name: an existing configuration to work on.
        pool_id: a dedicated resource pool, in place of `train_instance_type` or together with it.
        create_version: `False` creates the job without starting a version.
        base_job_name: beginning of generated job names; the default is `job`.
        nas_type, nas_share_addr, nas_mount_path, volumes: storage to mount, as in the REST documents.
        workspace_id: the workspace that jobs belong to.
        job_type: accepted and not sent, as no document lists it.
        environment_variables: a dict of names and values (texts or numbers) for the script's environment. It is ours:
            only the local service takes it. Names that the platform sets, such as `PATH`, are refused.
        data: input data for calls that name none, such as `{"inputs": "/bucket/data/"}`.

    Attributes are plain and have the names of the arguments: change them between calls. A misspelled attribute is
    refused. After `fit` and `create_job_version` the estimator refers to the version that was created.

    Raises:
        ArgumentError: `modelarts_session` is not a session.

    Example:
        >>> estimator = Estimator(session, framework_type="PyTorch", framework_version="PyTorch-1.0.0-python3.6",
        ...     code_dir="/bucket/src/", boot_file="train.py", output_path="/bucket/output/",
        ...     train_instance_type="modelarts.vm.cpu.2u", train_instance_count=1, hyperparameters={"lr": 0.001})
        >>> job = estimator.fit(inputs="/bucket/data/", wait=True)
    """

    # --- bodies

    def payload(self, operation: str = CREATE_JOB, **arguments: Any) -> dict[str, Any]:
        """Build the JSON body of a call, without sending it.

        Hyperparameter values are converted to text by one rule: text stays; `True` and `False` become `true` and
        `false`; `None` becomes an empty value; numbers are written as Python writes them; lists, dicts and arrays as
        JSON; what has no text of its own is refused. docs/reference/hyperparameters.md has all types, and the rules
        for names and lengths.

        Args:
            operation: `create_training_job`, `create_training_job_version`, `create_training_job_config` or
                `update_training_job_config`.
            arguments: those of `fit`, `create_job_version`, `create_job_configs` or `update_job_configs`.

        Returns:
            The body. Names are looked up, so lists may be requested.

        Raises:
            ArgumentError: one or more arguments break documented rules; all are listed.
        """
        return self._built(operation, **arguments)[0]

    def _built(self, operation: str, **arguments: Any) -> tuple[dict[str, Any], Staging]:
        """The body of a call, and the local code and data that must be uploaded before it is sent."""
        from modelarts._submit.arguments import CALL_FIELDS, Call
        from modelarts._submit.staging.staging import Staging
        from modelarts._submit.v1 import payload

        checks.raise_if_any("payload", checks.mapping("data", self.data))
        if not any(arguments.get(name) is not None for name in _DATA_ARGUMENTS):
            arguments = {**arguments, **(self.data or {})}
        if unknown := [name for name in arguments if name not in CALL_FIELDS]:
            rule = f"not an argument of this call; it takes {', '.join(CALL_FIELDS)}"
            raise ArgumentError("payload", [ArgumentProblem(name, arguments[name], rule) for name in unknown])
        session = self._session
        staging = Staging(session.client.transport.options, lambda: session.obs, session._default_bucket_name)
        return payload.build(self, Call(operation=operation, **arguments), session.catalog, staging), staging

    # --- jobs and versions

    def fit(
        self,
        inputs: str | os.PathLike[str] | None = None,
        dataset_id: str | None = None,
        dataset_version_id: str | None = None,
        wait: bool = False,
        job_name: str | None = None,
        data_source: list[Any] | None = None,
        priority: int | None = None,
    ) -> TrainingJob:
        """Create a training job and start its first version (modelarts_04_0131).

        Args:
            inputs: OBS path of the input data, or a local file or folder, which is uploaded; excludes the dataset
                pair and `data_source`.
            dataset_id, dataset_version_id: a managed dataset and its version; both or none.
            wait: follow the log until the job ends. A failed or stopped job is printed, and raised when the session
                is strict.
            job_name: 1 to 64 letters, digits, `_` or `-`; generated from the date by default.
            data_source: list of input sources, as in the REST documents.
            priority: a whole number from 0; not sent by default.

        Scripts for older versions pass `inputs, wait, job_name` without names; this order works, too.

        Returns:
            A handle of the version, whether it succeeded or not.

        Raises:
            ArgumentError: one or more arguments break a rule; nothing was sent.
            ObsError: local code or data cannot be uploaded.
            ApiError: the service refused; `NameTaken` when a job of that name exists.
            OutcomeUnknown: no reply came, and the job was not found afterwards for certain.
        """
        from modelarts._submit import idempotent_create, older_order

        given = older_order.by_name(dataset_id, dataset_version_id, wait, job_name)
        checks.raise_if_any("fit", checks.flag("wait", given.wait))
        body, staging = self._built(
            CREATE_JOB, inputs=inputs, dataset_id=given.dataset_id, dataset_version_id=given.dataset_version_id,
            data_source=data_source, job_name=given.text, priority=priority,
        )  # fmt: skip
        self._upload(staging)
        reply = idempotent_create.create_job(self._session.client, body, generated=not given.text)
        return self._created(reply, body, given.wait)

    def create_job_version(
        self,
        job_id: int | str,
        pre_version_id: int | str,
        inputs: str | os.PathLike[str] | None = None,
        dataset_id: str | None = None,
        dataset_version_id: str | None = None,
        wait: bool = False,
        job_desc: str | None = None,
        data_source: list[Any] | None = None,
        priority: int | None = None,
    ) -> TrainingJob:
        """Start a new version of a job (modelarts_04_0168).

        Args:
            job_id: the job: its number, or a text of its digits.
            pre_version_id: id of the version that the new one derives from.
            inputs: OBS path of the input data, or a local file or folder, which is uploaded; excludes the dataset
                pair and `data_source`.
            dataset_id, dataset_version_id: a managed dataset and its version; both or none.
            wait: follow the log until the version ends. A failed or stopped one is printed, and raised when the
                session is strict.
            job_desc: description of the job, at most 256 characters; by default the estimator's `job_description`.
            data_source: list of input sources, as in the REST documents.
            priority: a whole number from 0; not sent by default.

        Returns:
            A handle of the version, whether it succeeded or not.

        Raises:
            ArgumentError: one or more arguments break a rule; nothing was sent.
            ObsError: local code or data cannot be uploaded.
            ApiError: the service refused, for example because there is no such job.
            OutcomeUnknown: no reply came, and the version was not found afterwards for certain.
        """
        from modelarts._submit import idempotent_create, older_order

        given = older_order.by_name(dataset_id, dataset_version_id, wait, job_desc)
        body, staging = self._built(
            CREATE_VERSION, inputs=inputs, dataset_id=given.dataset_id, dataset_version_id=given.dataset_version_id,
            data_source=data_source, job_id=job_id, pre_version_id=pre_version_id, priority=priority,
            job_desc=given.text,
        )  # fmt: skip
        no_job = checks.identifier("job_id", job_id, "the job of the new version")
        checks.raise_if_any("create_job_version", no_job, checks.flag("wait", given.wait))
        self._upload(staging)
        reply = idempotent_create.create_version(self._session.client, job_id, body)
        reply["job_id"] = reply.get("job_id") or job_id
        return self._created(reply, body, given.wait)

    def _created(self, reply: Response, body: dict[str, Any], wait: bool) -> TrainingJob:
        self.job_id, self.version_id = reply.get("job_id"), reply.get("version_id")
        job = version_handle(self._session, self.job_id, {**body["config"], **reply}, reply.get("job_name"))
        if wait and self.version_id is not None:
            self._watch(job, reply.get("status"))
        return job

    def _watch(self, job: TrainingJob, status: object) -> None:
        from modelarts._display.screen import Screen
        from modelarts._jobs import follow

        screen, client = Screen(), self._session.client
        version: dict[str, Any] = {"job_id": job.job_id, "version_id": job.version_id}
        log = f", log in {self.log_url}" if self.log_url else ""
        screen.say(f"job {job.job_name} (job_id {job.job_id}), version {job.version_name} "
                   f"(version_id {job.version_id}){log}")  # fmt: skip
        try:
            info = follow.Follower(client, **version, screen=screen, status=status).run()
        except KeyboardInterrupt:
            screen.say(f"no longer waiting; the job continues. To stop it: Estimator(session, job_id={job.job_id}, "
                       f"version_id={job.version_id}).stop_job_version()")  # fmt: skip
            raise
        error = follow.error_of_end(client, **version, info=info)
        if error is not None and not isinstance(error, JobTimeout):
            screen.failure(error)
            if self._session.strict:
                raise error

    # --- configurations

    def create_job_configs(
        self,
        config_name: str | None = None,
        config_desc: str | None = None,
        inputs: str | os.PathLike[str] | None = None,
        dataset_id: str | None = None,
        dataset_version_id: str | None = None,
        data_source: list[Any] | None = None,
        priority: int | None = None,
    ) -> TrainingJob:
        """Save these settings as a configuration (modelarts_04_0174).

        Args:
            config_name: 1 to 64 letters, digits, `_` or `-`; generated from the date by default.
            config_desc: at most 256 characters.
            inputs: OBS path of the input data, or a local file or folder, which is uploaded; excludes the dataset
                pair and `data_source`. A configuration needs no input data.
            dataset_id, dataset_version_id: a managed dataset and its version; both or none.
            data_source: list of input sources, as in the REST documents.
            priority: a whole number from 0; not sent by default.

        Returns:
            A handle whose `config_name` is set.

        Raises:
            ArgumentError: one or more arguments break a rule; nothing was sent.
            ObsError: local code or data cannot be uploaded.
            ApiError: the service refused; `NameTaken` when a configuration of that name exists.
            OutcomeUnknown: no reply came, and the configuration was not found afterwards for certain.
        """
        from modelarts._submit import idempotent_create

        body, staging = self._built(
            CREATE_CONFIG, inputs=inputs, dataset_id=dataset_id, dataset_version_id=dataset_version_id,
            data_source=data_source, config_name=config_name, config_desc=config_desc, priority=priority,
        )  # fmt: skip
        self._upload(staging, quiet=True)
        idempotent_create.create_config(self._session.client, body, generated=not config_name)
        return TrainingJob(self._session, config_name=body["config_name"])

    create_job_config = create_job_configs

    def update_job_configs(
        self,
        config_name: str,
        config_desc: str | None = None,
        inputs: str | os.PathLike[str] | None = None,
        dataset_id: str | None = None,
        dataset_version_id: str | None = None,
        data_source: list[Any] | None = None,
        priority: int | None = None,
    ) -> Response:
        """Replace a saved configuration by these settings (modelarts_04_0178).

        The whole configuration is replaced: what is left out gets its default. A refused update changes nothing.

        Args:
            config_name: the configuration to replace.
            config_desc, inputs, dataset_id, dataset_version_id, data_source, priority: as for `create_job_configs`.

        Returns:
            A response; refused with `ModelArts.0105` when there is no such configuration.

        Raises:
            ArgumentError: one or more arguments break a rule; nothing was sent.
            ObsError: local code or data cannot be uploaded.
        """
        body, staging = self._built(
            UPDATE_CONFIG, inputs=inputs, dataset_id=dataset_id, dataset_version_id=dataset_version_id,
            data_source=data_source, config_name=config_name, config_desc=config_desc, priority=priority,
        )  # fmt: skip
        self._upload(staging, quiet=True)
        return self._session.client.call(UPDATE_CONFIG, {"config_name": config_name}, body=body)

    @classmethod
    def from_job_configs(cls, modelarts_session: Session, config_name: str) -> Estimator:
        """Create an estimator from a saved configuration; `fit()` trains with the data that it names.

        Args:
            modelarts_session: the session to use.
            config_name: the configuration.

        Returns:
            An estimator with the settings of the configuration.

        Raises:
            ArgumentError: `config_name` is no name; nothing was sent.
            ApiError: there is no such configuration.
        """
        from modelarts._submit.v1 import from_config

        checks.check_session("from_job_configs", modelarts_session)
        checks.raise_if_any("from_job_configs", checks.name("config_name", config_name, "a saved configuration"))
        client, path = modelarts_session.client, {"config_name": config_name}
        saved = client.call("get_training_job_config", path, raise_on_error=True)
        arguments = from_config.arguments(saved, modelarts_session.catalog)
        if declared := saved.get("environment"):
            arguments["environment"] = _environment(saved, declared)
        return cls(modelarts_session, config_name=config_name, **arguments)

    # --- lists, and what the service offers: calls on the class

    get_job_list = staticmethod(listing.get_job_list)
    iter_jobs = staticmethod(listing.iter_jobs)
    get_job_configs_list = staticmethod(listing.get_job_configs_list)
    iter_job_configs = staticmethod(listing.iter_job_configs)
    get_train_instance_types = staticmethod(listing.get_train_instance_types)
    get_framework_list = staticmethod(listing.get_framework_list)
    get_built_in_algorithms = staticmethod(listing.get_built_in_algorithms)
    get_engine_list = staticmethod(listing.get_engine_list)
    get_spec_list = staticmethod(listing.get_spec_list)
    get_job_pool_list = staticmethod(listing.get_job_pool_list)

    @staticmethod
    @checks.on_session
    def get_job_configs_object_list(
        modelarts_session: Session,
        per_page: int = doc_default(10),
        page: int = doc_default(1),
        sort_by: str = doc_default("job_name"),
        order: str = doc_default("asc"),
        search_content: str = doc_default(""),
        is_show: bool = True,
        *,
        sortBy: str | None = None,
    ) -> list[TrainingJob]:
        """List saved configurations as handles, one page (modelarts_04_0175).

        Args:
            modelarts_session: the session to use.
            per_page, page, sort_by, sortBy, order, search_content: as for `get_job_configs_list`.
            is_show: also print them as a table.

        Returns:
            A handle of each configuration.

        Raises:
            ArgumentError: an argument breaks a rule; nothing was sent.
            ApiError: the service refused.
        """
        query = CONFIGS.query(
            per_page=per_page, page=page, sort_by=sort_by, sortBy=sortBy, order=order, search_content=search_content
        )
        reply = modelarts_session.client.call(CONFIGS.operation, query=query, raise_on_error=True)
        rows = rows_of(reply, CONFIGS.rows)
        show(rows, CONFIG_COLUMNS, is_show)
        return [TrainingJob(modelarts_session, config_name=row["config_name"]) for row in rows]

    @staticmethod
    @checks.on_session
    def delete_job_by_id(modelarts_session: Session, job_id: int | str) -> Response:
        """Delete a job with all its versions; those that have not ended are stopped first (modelarts_04_0166).

        Args:
            modelarts_session: the session to use.
            job_id: the job: its number, or a text of its digits.

        Returns:
            A response.

        Raises:
            ArgumentError: `job_id` is no id; nothing was sent.
        """
        checks.raise_if_any("delete_job_by_id", checks.identifier("job_id", job_id, "the job to delete"))
        return TrainingJob(modelarts_session, job_id).delete_job()

    # --- helpers

    def _upload(self, staging: Staging, quiet: bool = False) -> None:
        from modelarts._display.screen import Screen

        staging.send(Screen().say, quiet)

    def __repr__(self) -> str:
        set_ones = {name: getattr(self, name) for name in _SHOWN if getattr(self, name) is not None}
        return f"Estimator({', '.join(f'{name}={shortened(value, 300)}' for name, value in set_ones.items())})"


def _environment(saved: Response, declared: Any) -> Environment:
    """The environment of a saved configuration."""
    from modelarts.environment import CondaDependencies, Environment

    try:
        packages = {name: value for name, value in declared.items() if name != "name"}
        return Environment(declared["name"], CondaDependencies.create(**packages))
    except (ArgumentError, AttributeError, LookupError, TypeError):
        raise bad_member(saved, "environment", declared) from None


_DATA_ARGUMENTS = ("inputs", "dataset_id", "dataset_version_id", "data_source")
# What tells estimators apart; hyperparameters and commands may hold secrets.
_SHOWN = ("model_name", "framework_version", "code_dir", "boot_file", "train_instance_type", "config_name", "job_id",
          "version_id")  # fmt: skip
