"""Configure, start and manage training (modelarts_04_0131)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Union

import attrs

from modelarts._api.catalog import Catalog
from modelarts._jobs import follow, listing
from modelarts._jobs.pagination import CONFIG_COLUMNS, CONFIGS, doc_default, show
from modelarts._submit import checks, idempotent_create
from modelarts._submit.arguments import Call, Training
from modelarts._submit.staging.staging import Staging
from modelarts._submit.strict_attributes import StrictAttributes
from modelarts._submit.v1 import from_config, payload
from modelarts._submit.v1.payload import CREATE_CONFIG, CREATE_JOB, CREATE_VERSION, UPDATE_CONFIG
from modelarts._transport.response import Response, rows_of
from modelarts._wire.v1.status import JOB_STATE
from modelarts.errors import ArgumentError, ArgumentProblem, ConfigError, JobTimeout
from modelarts.job import Identifier, JobCalls, TrainingJob
from modelarts.session import Session
from modelarts.visualization import VisualizationJob

__all__ = ["JOB_STATE", "Estimator", "TrainingJob", "VisualizationJob"]

Hyperparameters = Union[list[Any], Mapping[str, Any], None]
Place = Union[str, "os.PathLike[str]", None]


class Estimator(StrictAttributes, JobCalls):
    """A training to be configured, started and managed (modelarts_04_0131, modelarts_04_0168, modelarts_04_0174).

    Args:
        modelarts_session: the session to work with.
        train_instance_count: number of nodes, from 1 to the flavor's `max_num`.
        train_instance_type: flavor code, as `get_train_instance_types` lists them.
        output_path: OBS folder that gets the output, such as `/bucket/output/`.
        code_dir: OBS folder of the code, such as `/bucket/src/`; a local one (relative text or a `Path`) is uploaded.
        boot_file: script in `code_dir` that is started; a bare name is taken as in it.
        model_name: a built-in algorithm, in place of code and framework.
        framework_type, framework_version: the engine, as `get_framework_list` lists them.
        hyperparameters: a dict, or a list of `{"label": …, "value": …}`; values become text (see `payload`).
        log_url: OBS folder that gets the logs.
        job_description: at most 256 characters.
        user_image_url, user_command: a custom image and its start command.
        environment: of documented local training; not supported, see docs/compatibility.md.
        job_id, version_id: an existing job or version to work on.
        config_name: an existing configuration to work on.
        pool_id: a dedicated resource pool, in place of `train_instance_type`.
        create_version: `False` creates the job without starting a version.
        base_job_name: beginning of generated job names, in place of `job`.
        nas_type, nas_share_addr, nas_mount_path, volumes: storage to mount, as the REST pages describe it.
        workspace_id: the workspace that jobs belong to.
        job_type: accepted and not sent, as no document lists it.
        data: input data for calls that name none, such as `{"inputs": "/bucket/data/"}`.

    Attributes are plain: change them between calls; a misspelled one is refused. After `fit` and `create_job_version`
    the estimator itself answers for the version just made.

    Example:
        >>> estimator = Estimator(session, framework_type="PyTorch", framework_version="PyTorch-1.0.0-python3.6",
        ...     code_dir="/bucket/src/", boot_file="train.py", output_path="/bucket/output/",
        ...     train_instance_type="modelarts.vm.cpu.2u", train_instance_count=1, hyperparameters={"lr": 0.001})
        >>> job = estimator.fit(inputs="/bucket/data/", wait=True)
    """

    def __init__(
        self,
        modelarts_session: Session,
        train_instance_count: int | str | None = None,
        train_instance_type: str | None = None,
        output_path: str | None = None,
        code_dir: Place = None,
        boot_file: Place = None,
        model_name: str | None = None,
        framework_type: str | None = None,
        framework_version: str | None = None,
        hyperparameters: Hyperparameters = None,
        log_url: str | None = None,
        job_description: str | None = None,
        user_image_url: str | None = None,
        user_command: str | None = None,
        environment: Any = None,
        job_id: Identifier = None,
        version_id: Identifier = None,
        config_name: str | None = None,
        *,
        pool_id: str | None = None,
        create_version: bool | None = None,
        base_job_name: str | None = None,
        nas_type: str | None = None,
        nas_share_addr: str | None = None,
        nas_mount_path: str | None = None,
        volumes: list[Any] | None = None,
        workspace_id: str | None = None,
        job_type: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        checks.check_session("Estimator", modelarts_session)
        if environment is not None:
            raise ConfigError(
                "environment: training in a conda environment of its own is not supported; leave it out, or map the "
                "engine to an interpreter with the setting local_python"
            )
        self.modelarts_session = modelarts_session
        self.train_instance_count = train_instance_count
        self.train_instance_type = train_instance_type
        self.output_path = output_path
        self.code_dir = code_dir
        self.boot_file = boot_file
        self.model_name = model_name
        self.framework_type = framework_type
        self.framework_version = framework_version
        self.hyperparameters = hyperparameters
        self.log_url = log_url
        self.job_description = job_description
        self.user_image_url = user_image_url
        self.user_command = user_command
        self.job_id = job_id
        self.version_id = version_id
        self.config_name = config_name
        self.pool_id = pool_id
        self.create_version = create_version
        self.base_job_name = base_job_name
        self.nas_type = nas_type
        self.nas_share_addr = nas_share_addr
        self.nas_mount_path = nas_mount_path
        self.volumes = volumes
        self.workspace_id = workspace_id
        self.job_type = job_type
        self.data = dict(data or {})

    # --- bodies

    def payload(self, operation: str = CREATE_JOB, **arguments: Any) -> dict[str, Any]:
        """The JSON body of a call, without sending it.

        Args:
            operation: `create_training_job`, `create_training_job_version`, `create_training_job_config` or
                `update_training_job_config`.
            arguments: those of `fit`, `create_job_version`, `create_job_configs` or `update_job_configs`.

        Hyperparameter values become text by one rule: text stays; `True` and `False` become `true` and `false`;
        `None` becomes an empty value; numbers are written as Python writes them; lists and dicts as JSON.

        Raises:
            ArgumentError: one or more arguments break documented rules; all are listed.
        """
        return self._built(operation, **arguments)[0]

    def _built(self, operation: str, **arguments: Any) -> tuple[dict[str, Any], Staging]:
        """The body of a call, and the local code and data that have to be there before it is sent."""
        if not any(arguments.get(name) is not None for name in _DATA_ARGUMENTS):
            arguments = {**arguments, **self.data}
        training = Training(**{name: getattr(self, name) for name in _TRAINING_FIELDS})
        try:
            call = Call(operation=operation, **arguments)
        except TypeError:
            unknown = next(name for name in arguments if name not in _CALL_FIELDS)
            known = f"not an argument of this call; it takes {', '.join(_CALL_FIELDS)}"
            raise ArgumentError("payload", [ArgumentProblem(unknown, arguments[unknown], known)]) from None
        staging = Staging(self.modelarts_session)
        return payload.build(training, call, self._catalog, staging), staging

    @property
    def _catalog(self) -> Catalog:
        return self.modelarts_session.catalog

    # --- jobs and versions

    def fit(
        self,
        inputs: Place = None,
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
            wait: follow the log until the job ends. A bad end is shown, and raised when the session is strict.
            job_name: 1 to 64 letters, digits, `_` or `-`; made from the date when left out.
            data_source: list of input sources, as the REST pages describe it.
            priority: sent when given.

        Returns:
            The handle of the version, whatever its end.

        Raises:
            ArgumentError: nothing was sent.
            ApiError: the service refused; `NameTaken` when there is a job of that name.
        """
        body, staging = self._built(
            CREATE_JOB, inputs=inputs, dataset_id=dataset_id, dataset_version_id=dataset_version_id,
            data_source=data_source, job_name=job_name, priority=priority,
        )  # fmt: skip
        self._upload(staging)
        response = idempotent_create.create(self.modelarts_session, CREATE_JOB, body, generated=not job_name)
        return self._made(response, wait)

    def create_job_version(
        self,
        job_id: Identifier,
        pre_version_id: Identifier,
        inputs: Place = None,
        dataset_id: str | None = None,
        dataset_version_id: str | None = None,
        wait: bool = False,
        job_desc: str | None = None,
        data_source: list[Any] | None = None,
        priority: int | None = None,
    ) -> TrainingJob:
        """Start a new version of a job (modelarts_04_0168).

        Args:
            job_id: the job.
            pre_version_id: the version that the new one derives from.
            job_desc: at most 256 characters.

        The other arguments, the result and the errors are those of `fit`.
        """
        body, staging = self._built(
            CREATE_VERSION, inputs=inputs, dataset_id=dataset_id, dataset_version_id=dataset_version_id,
            data_source=data_source, job_id=job_id, pre_version_id=pre_version_id, priority=priority,
            job_desc=job_desc,
        )  # fmt: skip
        checks.raise_if_any("create_job_version", checks.identifier("job_id", job_id, "the job to add a version to"))
        self._upload(staging)
        response = idempotent_create.create(self.modelarts_session, CREATE_VERSION, body, {"job_id": job_id})
        response["job_id"] = response.get("job_id") or job_id
        return self._made(response, wait)

    def _made(self, response: Response, wait: bool) -> TrainingJob:
        self.job_id, self.version_id = response.get("job_id"), response.get("version_id")
        job = TrainingJob(
            self.modelarts_session, self.job_id, self.version_id,
            job_name=response.get("job_name"), version_name=response.get("version_name"),
        )  # fmt: skip
        if wait and self.version_id is not None:
            self._watch(job)
        return job

    def _watch(self, job: TrainingJob) -> None:
        from modelarts._display.screen import Screen

        screen, client = Screen(), self.modelarts_session.client
        version: dict[str, Any] = {"job_id": job.job_id, "version_id": job.version_id}
        where = f", log in {self.log_url}" if self.log_url else ""
        screen.say(f"job {job.job_name} (job_id {job.job_id}), version {job.version_name} "
                   f"(version_id {job.version_id}){where}")  # fmt: skip
        try:
            info = follow.Follower(client, **version, screen=screen).run()
        except KeyboardInterrupt:
            screen.say(f"no longer waiting; the job goes on. To stop it: Estimator(session, job_id={job.job_id}, "
                       f"version_id={job.version_id}).stop_job_version()")  # fmt: skip
            raise
        error = follow.error_of_end(client, **version, info=info)
        if error is not None and not isinstance(error, JobTimeout):
            screen.failure(error)
            if self.modelarts_session.strict:
                raise error

    # --- configurations

    def create_job_configs(
        self,
        config_name: str | None = None,
        config_desc: str | None = None,
        inputs: Place = None,
        dataset_id: str | None = None,
        dataset_version_id: str | None = None,
        data_source: list[Any] | None = None,
        priority: int | None = None,
    ) -> TrainingJob:
        """Save these settings as a configuration (modelarts_04_0174).

        Args:
            config_name: 1 to 64 letters, digits, `_` or `-`; made from the date when left out.
            config_desc: at most 256 characters.

        Input data may be left out. The other arguments and the errors are those of `fit`.

        Returns:
            A handle whose `config_name` is set.
        """
        body, staging = self._built(
            CREATE_CONFIG, inputs=inputs, dataset_id=dataset_id, dataset_version_id=dataset_version_id,
            data_source=data_source, config_name=config_name, config_desc=config_desc, priority=priority,
        )  # fmt: skip
        self._upload(staging, quiet=True)
        idempotent_create.create(self.modelarts_session, CREATE_CONFIG, body, generated=not config_name)
        return TrainingJob(self.modelarts_session, config_name=body["config_name"])

    create_job_config = create_job_configs

    def update_job_configs(
        self,
        config_name: str,
        config_desc: str | None = None,
        inputs: Place = None,
        dataset_id: str | None = None,
        dataset_version_id: str | None = None,
        data_source: list[Any] | None = None,
        priority: int | None = None,
    ) -> Response:
        """Replace a saved configuration by these settings (modelarts_04_0178).

        The whole configuration is replaced: what is left out goes back to its default. A refused update leaves
        it as it was. Arguments as for `create_job_configs`.

        Returns:
            A response; refused with `ModelArts.0105` when there is no such configuration.
        """
        body, staging = self._built(
            UPDATE_CONFIG, inputs=inputs, dataset_id=dataset_id, dataset_version_id=dataset_version_id,
            data_source=data_source, config_name=config_name, config_desc=config_desc, priority=priority,
        )  # fmt: skip
        self._upload(staging, quiet=True)
        return self._call(UPDATE_CONFIG, {"config_name": config_name}, body=body)

    @classmethod
    def from_job_configs(cls, modelarts_session: Session, config_name: str) -> Estimator:
        """Create an estimator from a saved configuration; `fit()` trains with the data that it names.

        Args:
            modelarts_session: the session to use.
            config_name: the configuration.

        Returns:
            An estimator whose attributes are set as the configuration says.

        Raises:
            ArgumentError: `config_name` is no name; nothing was sent.
            ApiError: there is no such configuration.
        """
        checks.check_session("from_job_configs", modelarts_session)
        checks.raise_if_any("from_job_configs", checks.name("config_name", config_name, "a saved configuration"))
        client, path = modelarts_session.client, {"config_name": config_name}
        saved = client.call("get_training_job_config", path, raise_on_error=True)
        arguments = from_config.arguments(saved, modelarts_session.catalog)
        return cls(modelarts_session, config_name=config_name, **arguments)

    # --- lists, and what the service offers: calls on the class

    get_job_list = staticmethod(listing.get_job_list)
    iter_jobs = staticmethod(listing.iter_jobs)
    get_job_configs_list = staticmethod(listing.get_job_configs_list)
    iter_job_configs = staticmethod(listing.iter_job_configs)
    get_train_instance_types = staticmethod(listing.get_train_instance_types)
    get_framework_list = staticmethod(listing.get_framework_list)
    get_built_in_algorithms = staticmethod(listing.get_built_in_algorithms)

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
    def delete_job_by_id(modelarts_session: Session, job_id: Identifier) -> Response:
        """Delete a job with all its versions; those that have not ended are stopped first (modelarts_04_0166).

        Args:
            modelarts_session: the session to use.
            job_id: the job.

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
        return f"Estimator({', '.join(f'{name}={value!r}' for name, value in set_ones.items())})"


_DATA_ARGUMENTS = ("inputs", "dataset_id", "dataset_version_id", "data_source")
# What tells estimators apart; hyperparameters and commands may hold secrets.
_SHOWN = ("model_name", "framework_version", "code_dir", "boot_file", "train_instance_type", "config_name", "job_id",
          "version_id")  # fmt: skip
_TRAINING_FIELDS = tuple(field.name for field in attrs.fields(Training))
_CALL_FIELDS = tuple(field.name for field in attrs.fields(Call) if field.name != "operation")
