"""Builds the documented REST bodies from arguments, and finds all problems before anything is sent."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from modelarts._api.catalog import ALGORITHMS, ENGINES, SPECS, Catalog, normalize, suggest
from modelarts._submit import hyperparameters
from modelarts._submit.arguments import Call, Checks, type_problems
from modelarts._submit.checks import is_missing, raise_if_any, whole_number
from modelarts._submit.local_paths import LocalPaths
from modelarts._submit.v1 import environment, variables
from modelarts._submit.v1.code import CodeChoice
from modelarts._submit.v1.inputs import DataChoice
from modelarts._wire import json_records
from modelarts._wire.json_records import Record
from modelarts._wire.v1.limits import NAME_RULE
from modelarts._wire.v1.operations import CREATE_CONFIG, CREATE_JOB, CREATE_VERSION, UPDATE_CONFIG
from modelarts.errors import ArgumentError, ArgumentProblem

if TYPE_CHECKING:
    from modelarts._submit.staging.staging import Staging
    from modelarts._submit.training import Training

logger = logging.getLogger("modelarts")

_CALLS = {
    CREATE_JOB: "fit", CREATE_VERSION: "create_job_version",
    CREATE_CONFIG: "create_job_configs", UPDATE_CONFIG: "update_job_configs",
}  # fmt: skip


def build(training: Training, call: Call, catalog: Catalog, staging: Staging) -> dict[str, Any]:
    """The body of one call.

    Args:
        training, call: the user's arguments.
        catalog: finds the ids of names.
        staging: gets the local code and data; it must upload them before the body is sent.

    Raises:
        ArgumentError: listing every argument that breaks a rule.
    """
    if not isinstance(call.operation, str) or call.operation not in _CALLS:
        raise ArgumentError("payload", [ArgumentProblem("operation", call.operation, f"one of {', '.join(_CALLS)}")])
    raise_if_any(
        _CALLS[call.operation], *type_problems(training, call), *variables.problems(training),
        *environment.problems(training),
    )  # fmt: skip
    checks = Checks(staging, LocalPaths.of(training))
    body = _Builder(training, call, catalog, checks).body()
    if unencodable := json_records.unencodable_text(body):
        checks.problems.append(ArgumentProblem(*unencodable, json_records.TEXT_RULE))
    if checks.problems:
        raise ArgumentError(_CALLS[call.operation], checks.problems)
    if not training.user_command:  # those of an image are environment variables
        config = body.get("config", body)
        engine = "" if training.model_name else normalize(training.framework_type)
        hyperparameters.warn_of_names_of_the_engine(config["parameter"], engine, config["worker_server_num"])
    return body


class _Builder:
    """Builds one body, part by part; its checks collect the problems."""

    def __init__(self, training: Training, call: Call, catalog: Catalog, checks: Checks) -> None:
        self.training = training
        self.call = call
        self.catalog = catalog
        self.checks = checks
        self.new: list[str] = []  # the lists that were requested for this call

    def body(self) -> dict[str, Any]:
        call = self.call
        if call.operation == CREATE_JOB:
            body: dict[str, Any] = {"job_name": self.job_name(), "job_desc": self.job_description()}
            if call.job_name and self.training._is_debugging:
                body["again"] = True
            if self.training.workspace_id is not None:
                body["workspace_id"] = str(self.training.workspace_id)
            return {**body, "config": self.config()}
        if call.operation == CREATE_VERSION:
            if call.job_id is not None:  # sent in the path
                self.checks.identifier("job_id", call.job_id)
            origin = self.checks.identifier("pre_version_id", call.pre_version_id)
            description = self.job_description()
            return {"job_desc": description, "config": {**self.config(), "pre_version_id": origin}}
        name = self.checks.name("config_name", call.config_name or self.generated("config"))
        named = {} if call.operation == UPDATE_CONFIG else {"config_name": name}  # an update sends it in the path
        text = self.checks.description("config_desc", call.config_desc)
        return {**named, **({} if text is None else {"config_desc": text}), **self.config()}

    def config(self) -> dict[str, Any]:
        """The part that jobs, versions and configurations share; local code and data are read last."""
        self.load_lists()
        config = self.other_members()
        config.update(CodeChoice(self.training, self.catalog, self.checks, self.new).members())
        required = self.call.operation in (CREATE_JOB, CREATE_VERSION) and not self.training._is_debugging
        config.update(DataChoice(self.call, self.checks, required).members())
        return config

    def other_members(self) -> dict[str, Any]:
        """All but code and data."""
        config: dict[str, Any] = {
            "parameter": hyperparameters.rows(self.training.hyperparameters, self.checks),
            **self.compute(),
            "worker_server_num": self.count(),
        }
        if own := variables.texts(self.training):
            config["environment_variables"] = own
        config.update(environment.members(self.training))
        if self.training.user_command:
            hyperparameters.check_variables(config["parameter"], self.checks)
        config["train_url"] = self.checks.output("output_path", self.training.output_path)
        if not is_missing(self.training.log_url):
            config["log_url"] = self.checks.folder("log_url", self.training.log_url)
        if self.call.priority is not None:
            config["priority"] = self.checks.identifier("priority", self.call.priority)
        only_jobs = ("create_version",) if self.call.operation == CREATE_JOB else ()  # in no other table (VERFIELDS)
        for name in (*only_jobs, "volumes", "nas_type", "nas_share_addr", "nas_mount_path"):
            if getattr(self.training, name) is not None:
                config[name] = getattr(self.training, name)
        return config

    def load_lists(self) -> None:
        training = self.training
        own_code = not (training.model_name or training.user_image_url or training.user_command)
        wanted = {
            SPECS: training.train_instance_type is not None,
            ALGORITHMS: bool(training.model_name),
            ENGINES: bool(own_code and training.framework_type and training.framework_version),
        }
        self.new = self.catalog.load([kind for kind, is_wanted in wanted.items() if is_wanted])

    # --- names, texts, numbers

    def generated(self, stem: str) -> str | None:
        """A name generated from the date; an update must name an existing one."""
        return None if self.call.operation == UPDATE_CONFIG else f"{stem}-{time.strftime('%m%d-%H%M%S')}"

    def job_name(self) -> str:
        base = self.training.base_job_name
        if self.call.job_name or not base:
            return self.checks.name("job_name", self.call.job_name or self.generated("job"))
        rule = f"{NAME_RULE}, including the date that is appended"
        return self.checks.name("base_job_name", self.generated(base), base, rule)

    def job_description(self) -> str:
        """The description of the version, or else that of the estimator."""
        if self.call.job_desc is not None:
            return self.checks.description("job_desc", self.call.job_desc) or ""
        return self.checks.description("job_description", self.training.job_description) or ""

    # --- compute resources

    def compute(self) -> dict[str, Any]:
        """A flavor, a dedicated pool, or both (POOL)."""
        pool, spec = self.training.pool_id, self.spec()
        members = {"spec_id": spec["spec_id"]} if spec is not None else {}
        return members if is_missing(pool) else {**members, "pool_id": str(pool)}

    def spec(self) -> Record | None:
        kind = self.training.train_instance_type
        if not kind:
            if is_missing(self.training.pool_id):
                self.checks.problem("train_instance_type", kind,
                           "a flavor code is required (or pool_id); Estimator.get_train_instance_types lists them")
            return None  # fmt: skip
        found = self.catalog.find(SPECS, lambda row: row.get("spec_code") == kind, SPECS in self.new)
        if found is None and not is_missing(self.training.pool_id):
            logger.warning("flavor %s is not one that the service lists: pool %s decides", kind, self.training.pool_id)
        elif found is None:
            codes = [row.get("spec_code", "") for row in self.catalog.rows(SPECS)]
            self.checks.problem("train_instance_type", kind, f"the service has no such flavor; {suggest(kind, codes)}")
        elif found.get("no_resource"):
            logger.warning("flavor %s is sold out: the job may wait or be refused", kind)
        return found

    def count(self) -> int | None:
        count = whole_number(self.training.train_instance_count)
        if count is None or count < 1:
            self.checks.problem("train_instance_count", self.training.train_instance_count, "a whole number from 1")
            return None
        kind = self.training.train_instance_type
        if kind and is_missing(self.training.pool_id):
            row = next((row for row in self.catalog.rows(SPECS) if row.get("spec_code") == kind), None)
            limit = row.get("max_num") if row else None
            if limit is not None and count > limit:
                self.checks.problem("train_instance_count", count, f"flavor {kind!r} allows at most {limit}")
        return count
