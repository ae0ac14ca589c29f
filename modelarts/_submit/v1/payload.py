"""From friendly arguments to the documented REST bodies; every fault is found before anything is sent."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from modelarts._api.catalog import ALGORITHMS, ENGINES, SPECS, Catalog, suggest
from modelarts._submit.arguments import Call, Checks
from modelarts._submit.v1.code import CodeChoice
from modelarts._submit.v1.inputs import DataChoice
from modelarts._wire.json_records import Record, as_integer
from modelarts._wire.v1 import parameters
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
        catalog: turns names into ids.
        staging: gets the local code and data, which it has to send before the body goes out.

    Raises:
        ArgumentError: listing every argument that breaks a rule.
    """
    if call.operation not in _CALLS:
        raise ArgumentError("payload", [ArgumentProblem("operation", call.operation, f"one of {', '.join(_CALLS)}")])
    checks = Checks(staging)
    body = _Builder(training, call, catalog, checks).body()
    if checks.faults:
        raise ArgumentError(_CALLS[call.operation], checks.faults)
    return body


class _Builder:
    """Builds one body, part by part; what is wrong on the way is gathered in its checks."""

    def __init__(self, training: Training, call: Call, catalog: Catalog, checks: Checks) -> None:
        self.training = training
        self.call = call
        self.catalog = catalog
        self.checks = checks
        self.new: list[str] = []  # the lists that this very call asked for

    def body(self) -> dict[str, Any]:
        call = self.call
        if call.operation == CREATE_JOB:
            body = {"job_name": self.job_name(), "job_desc": self.job_description()}
            if self.training.workspace_id is not None:
                body["workspace_id"] = str(self.training.workspace_id)
            return {**body, "config": self.config()}
        if call.operation == CREATE_VERSION:
            if call.job_id is not None:  # it travels in the path
                self.checks.identifier("job_id", call.job_id)
            origin = self.checks.identifier("pre_version_id", call.pre_version_id)
            description = self.job_description()
            return {"job_desc": description, "config": {**self.config(), "pre_version_id": origin}}
        name = self.checks.name("config_name", call.config_name or self.generated("config"))
        named = {} if call.operation == UPDATE_CONFIG else {"config_name": name}  # an update's travels in the path
        words = self.checks.description("config_desc", call.config_desc)
        return {**named, **({} if words is None else {"config_desc": words}), **self.config()}

    def config(self) -> dict[str, Any]:
        """The part that jobs, versions and configurations share; local code and data are read last."""
        self.look_up_together()
        config = self.rest()
        config.update(CodeChoice(self.training, self.catalog, self.checks, self.new).members())
        needed = self.call.operation in (CREATE_JOB, CREATE_VERSION)
        config.update(DataChoice(self.call, self.checks, needed).members())
        return config

    def rest(self) -> dict[str, Any]:
        """All but code and data."""
        config: dict[str, Any] = {"parameter": self.parameter(), **self.compute(), "worker_server_num": self.count()}
        config["train_url"] = self.checks.folder("output_path", self.training.output_path) or ""
        if self.training.log_url:
            config["log_url"] = self.checks.folder("log_url", self.training.log_url)
        if self.call.priority is not None:
            config["priority"] = self.checks.identifier("priority", self.call.priority)
        only_jobs = ("create_version",) if self.call.operation == CREATE_JOB else ()  # in no other table (VERFIELDS)
        for name in (*only_jobs, "volumes", "nas_type", "nas_share_addr", "nas_mount_path"):
            if getattr(self.training, name) is not None:
                config[name] = getattr(self.training, name)
        return config

    def look_up_together(self) -> None:
        training = self.training
        own_code = not (training.model_name or training.user_image_url or training.user_command)
        wanted = {
            SPECS: training.train_instance_type is not None,
            ALGORITHMS: bool(training.model_name),
            ENGINES: bool(own_code and training.framework_type and training.framework_version),
        }
        self.new = self.catalog.load([kind for kind, needed in wanted.items() if needed])

    # --- names, texts, numbers

    def generated(self, stem: str) -> str | None:
        """A name made from the date; an update names what is there."""
        return None if self.call.operation == UPDATE_CONFIG else f"{stem}-{time.strftime('%m%d-%H%M%S')}"

    def job_name(self) -> str:
        base = self.training.base_job_name
        if self.call.job_name or not base:
            return self.checks.name("job_name", self.call.job_name or self.generated("job"))
        return self.checks.name("base_job_name", self.generated(base), base, f"{NAME_RULE}, with the date behind it")

    def job_description(self) -> str:
        """A version's own, or the estimator's, under the name that the user gave it."""
        if self.call.job_desc is not None:
            return self.checks.description("job_desc", self.call.job_desc) or ""
        return self.checks.description("job_description", self.training.job_description) or ""

    # --- where it runs

    def compute(self) -> dict[str, Any]:
        kind, pool = self.training.train_instance_type, self.training.pool_id
        if pool is not None and kind is not None:
            self.checks.fault("pool_id", pool, "excludes train_instance_type; give one of the two")
        if pool is not None:
            return {"pool_id": str(pool)}
        spec = self.spec()
        return {"spec_id": spec.spec_id} if spec is not None else {}

    def spec(self) -> Record | None:
        kind = self.training.train_instance_type
        if not kind:
            if self.training.pool_id is None:
                self.checks.fault("train_instance_type", kind,
                           "a flavor code is needed (or pool_id); Estimator.get_train_instance_types lists them")
            return None  # fmt: skip
        found = self.catalog.find(SPECS, lambda row: row.get("spec_code") == kind, SPECS in self.new)
        if found is None:
            codes = [row.get("spec_code", "") for row in self.catalog.rows(SPECS)]
            self.checks.fault("train_instance_type", kind, f"the service has no such flavor; {suggest(kind, codes)}")
        elif found.get("no_resource"):
            logger.warning("flavor %s is sold out at the moment: the job may wait or be refused", kind)
        return found

    def count(self) -> int | None:
        count = as_integer(self.training.train_instance_count)
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            self.checks.fault("train_instance_count", self.training.train_instance_count, "a whole number from 1")
            return None
        kind = self.training.train_instance_type
        if kind and self.training.pool_id is None:
            row = next((row for row in self.catalog.rows(SPECS) if row.get("spec_code") == kind), None)
            limit = row.get("max_num") if row else None
            if limit is not None and count > limit:
                self.checks.fault("train_instance_count", count, f"flavor {kind!r} allows at most {limit}")
        return count

    def parameter(self) -> list[dict[str, str]]:
        given = self.training.hyperparameters
        try:
            pairs = parameters.pairs(given)
        except ValueError as error:
            self.checks.fault("hyperparameters", given, str(error))
            return []
        texts: dict[str, str] = {}
        for label, value in pairs:
            if not isinstance(label, str) or not label.strip():
                self.checks.fault("hyperparameters", label, "every name is a text that is not empty")
                continue
            if label in texts:
                self.checks.fault("hyperparameters", label, "is given twice; keep one")
            try:
                texts[label] = parameters.as_text(value)
            except (TypeError, ValueError) as error:
                self.checks.fault("hyperparameters", {label: value}, f"the value cannot be written as JSON: {error}")
        return [{"label": label, "value": text} for label, text in texts.items()]

