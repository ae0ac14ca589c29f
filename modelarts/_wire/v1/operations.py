"""Names of the operations that create or replace something, as `routes` lists them."""

from __future__ import annotations

CREATE_JOB, CREATE_VERSION = "create_training_job", "create_training_job_version"
CREATE_CONFIG, UPDATE_CONFIG = "create_training_job_config", "update_training_job_config"
CREATE_VISUALIZATION = "create_visualization_job"
