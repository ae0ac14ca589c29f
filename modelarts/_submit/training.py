"""What an estimator knows about a training: each attribute is an argument of its constructor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelarts._submit import checks

if TYPE_CHECKING:
    import os

    from modelarts.environment import Environment
    from modelarts.session import Session


class Training:
    """The arguments of an estimator as the user gave them; `Estimator` documents each of them."""

    def __init__(
        self,
        modelarts_session: Session,
        train_instance_count: int | str | None = None,
        train_instance_type: str | None = None,
        output_path: str | None = None,
        code_dir: str | os.PathLike[str] | None = None,
        boot_file: str | os.PathLike[str] | None = None,
        model_name: str | None = None,
        framework_type: str | None = None,
        framework_version: str | None = None,
        hyperparameters: Mapping[str, Any] | list[Any] | None = None,
        log_url: str | None = None,
        job_description: str | None = None,
        user_image_url: str | None = None,
        user_command: str | None = None,
        environment: Environment | None = None,
        job_id: int | str | None = None,
        version_id: int | str | None = None,
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
        environment_variables: Mapping[str, str | float] | None = None,
    ) -> None:
        checks.check_session("Estimator", modelarts_session)
        checks.raise_if_any("Estimator", checks.mapping("data", data))
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
        self.environment = environment
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
        self.environment_variables = environment_variables

    @property
    def _is_here(self) -> bool:
        """Whether its jobs run on this machine, whatever `modelarts_session` is."""
        return isinstance(self.train_instance_type, str) and self.train_instance_type == "local"

    @property
    def _is_debugging(self) -> bool:
        """Whether it is what modelarts_04_0222 documents: engine, data and output may be left out."""
        return self._is_here or (self.environment is not None and self._takes_environments)

    @property
    def _takes_environments(self) -> bool:
        """Whether its jobs run on a local service, as the cloud has no member for environments."""
        return self._is_here or self._session.client.endpoint.extended

    @property
    def _session(self) -> Session:
        """The session that its jobs belong to."""
        return self.modelarts_session._for_flavor(self.train_instance_type)
