"""From friendly arguments to the documented REST bodies; every fault is found before anything is sent."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from modelarts import _staging
from modelarts._catalog import ALGORITHMS, ENGINES, SPECS, Catalog, loose, nearest
from modelarts._obs.paths import ObsPath, exists_locally, is_local, place_inside
from modelarts._wire import limits, parameters
from modelarts._wire.replies import Record, as_integer
from modelarts.errors import ArgumentError, Fault

logger = logging.getLogger("modelarts")

CREATE_JOB, CREATE_VERSION = "create_training_job", "create_training_job_version"
CREATE_CONFIG, UPDATE_CONFIG = "create_training_job_config", "update_training_job_config"

_CALLS = {
    CREATE_JOB: "fit", CREATE_VERSION: "create_job_version",
    CREATE_CONFIG: "create_job_configs", UPDATE_CONFIG: "update_job_configs",
}  # fmt: skip

_CODE = ("code_dir", "boot_file", "framework_type", "framework_version", "user_image_url", "user_command")


@attrs.frozen(kw_only=True)
class Training:
    """What an estimator says about the training itself, as the user gave it."""

    train_instance_count: Any = None
    train_instance_type: Any = None
    pool_id: Any = None
    code_dir: Any = None
    boot_file: Any = None
    model_name: Any = None
    framework_type: Any = None
    framework_version: Any = None
    user_image_url: Any = None
    user_command: Any = None
    hyperparameters: Any = None
    output_path: Any = None
    log_url: Any = None
    job_description: Any = None
    base_job_name: Any = None
    workspace_id: Any = None
    create_version: Any = None
    nas_type: Any = None
    nas_share_addr: Any = None
    nas_mount_path: Any = None
    volumes: Any = None


@attrs.frozen(kw_only=True)
class Call:
    """The arguments of one call that creates or updates something."""

    operation: str
    inputs: Any = None
    dataset_id: Any = None
    dataset_version_id: Any = None
    data_source: Any = None
    job_name: Any = None
    job_desc: Any = None
    config_name: Any = None
    config_desc: Any = None
    pre_version_id: Any = None
    priority: Any = None


def build(training: Training, call: Call, catalog: Catalog, bucket: Callable[[], str]) -> dict[str, Any]:
    """The body of one call.

    Args:
        training, call: the user's arguments.
        catalog: turns names into ids.
        bucket: names the bucket that local code and data go to; called only when there are some.

    Raises:
        ArgumentError: listing every argument that breaks a rule.
    """
    if call.operation not in _CALLS:
        raise ArgumentError("payload", [Fault("operation", call.operation, f"one of {', '.join(_CALLS)}")])
    builder = _Builder(training, call, catalog, bucket)
    body = builder.body()
    if builder.faults:
        raise ArgumentError(_CALLS[call.operation], builder.faults)
    return body


class _Builder:
    """Builds one body, part by part, and gathers what is wrong on the way."""

    def __init__(
        self, training: Training, call: Call, catalog: Catalog, bucket: Callable[[], str]
    ) -> None:
        self.training, self.call = training, call
        self.catalog, self.bucket = catalog, bucket
        self.faults: list[Fault] = []
        self.new: list[str] = []  # the lists that this very call asked for

    def fault(self, argument: str, value: Any, rule: str) -> None:
        self.faults.append(Fault(argument, value, rule))

    def body(self) -> dict[str, Any]:
        call = self.call
        config = self.config()
        if call.operation == CREATE_JOB:
            body = {"job_name": self.job_name(), "job_desc": self.job_description()}
            if self.training.workspace_id is not None:
                body["workspace_id"] = str(self.training.workspace_id)
            return {**body, "config": config}
        if call.operation == CREATE_VERSION:
            config["pre_version_id"] = self.identifier("pre_version_id", call.pre_version_id)
            return {"job_desc": self.job_description(), "config": config}
        name = self.name("config_name", call.config_name or self.generated("config"))
        named = {} if call.operation == UPDATE_CONFIG else {"config_name": name}  # an update's travels in the path
        description = self.description("config_desc", call.config_desc)
        return {**named, **({} if description is None else {"config_desc": description}), **config}

    def config(self) -> dict[str, Any]:
        """The part that jobs, versions and configurations share."""
        self.look_up_together()
        config: dict[str, Any] = {"worker_server_num": None, **self.code()}
        config["parameter"] = self.parameter()
        config.update(self.compute())
        config["worker_server_num"] = self.count()
        config.update(self.data())
        config["train_url"] = self.folder("output_path", self.training.output_path) or ""
        if self.training.log_url:
            config["log_url"] = self.folder("log_url", self.training.log_url)
        if self.call.priority is not None:
            config["priority"] = self.identifier("priority", self.call.priority)
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
            return self.name("job_name", self.call.job_name or self.generated("job"))
        return self.name("base_job_name", self.generated(base), base, f"{limits.NAME_RULE}, with the date behind it")

    def name(self, argument: str, name: Any, value: Any = None, rule: str = limits.NAME_RULE) -> str:
        if not isinstance(name, str) or not limits.NAME.fullmatch(name):
            self.fault(argument, name if value is None else value, rule)
        return str(name)

    def job_description(self) -> str:
        """A version's own, or the estimator's, under the name that the user gave it."""
        if self.call.job_desc is not None:
            return self.description("job_desc", self.call.job_desc) or ""
        return self.description("job_description", self.training.job_description) or ""

    def description(self, argument: str, text: Any) -> str | None:
        if text is None:
            return None
        if not isinstance(text, str) or len(text) > limits.DESCRIPTION_LENGTH:
            length = f"; this has {len(text)}" if isinstance(text, str) else ""
            self.fault(argument, text, f"a text of at most {limits.DESCRIPTION_LENGTH} characters{length}")
        return str(text)

    def identifier(self, argument: str, value: Any) -> int | None:
        number = as_integer(value)
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            self.fault(argument, value, "a whole number")
            return None
        return number

    # --- where it runs

    def compute(self) -> dict[str, Any]:
        kind, pool = self.training.train_instance_type, self.training.pool_id
        if pool is not None and kind is not None:
            self.fault("pool_id", pool, "excludes train_instance_type; give one of the two")
        if pool is not None:
            return {"pool_id": str(pool)}
        spec = self.spec()
        return {"spec_id": spec.spec_id} if spec is not None else {}

    def spec(self) -> Record | None:
        kind = self.training.train_instance_type
        if not kind:
            if self.training.pool_id is None:
                self.fault("train_instance_type", kind,
                           "a flavor code is needed (or pool_id); Estimator.get_train_instance_types lists them")
            return None  # fmt: skip
        found = self.catalog.find(SPECS, lambda row: row.get("spec_code") == kind, SPECS in self.new)
        if found is None:
            codes = [row.get("spec_code", "") for row in self.catalog.rows(SPECS)]
            self.fault("train_instance_type", kind, f"the service has no such flavor; {nearest(kind, codes)}")
        elif found.get("no_resource"):
            logger.warning("flavor %s is sold out at the moment: the job may wait or be refused", kind)
        return found

    def count(self) -> int | None:
        count = as_integer(self.training.train_instance_count)
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            self.fault("train_instance_count", self.training.train_instance_count, "a whole number from 1")
            return None
        kind = self.training.train_instance_type
        if kind and self.training.pool_id is None:
            row = next((row for row in self.catalog.rows(SPECS) if row.get("spec_code") == kind), None)
            limit = row.get("max_num") if row else None
            if limit is not None and count > limit:
                self.fault("train_instance_count", count, f"flavor {kind!r} allows at most {limit}")
        return count

    # --- what runs

    def code(self) -> dict[str, Any]:
        training = self.training
        if training.model_name:
            return self.built_in()
        if training.user_image_url or training.user_command:
            for argument in ("user_image_url", "user_command"):
                if not getattr(training, argument):
                    self.fault(argument, None, "a custom image needs user_image_url and user_command")
            image = {"user_image_url": training.user_image_url, "user_command": training.user_command}
            return {**self.script(required=False), **image}
        script = self.script(required=True)
        engine = self.engine()
        return {**script, "engine_id": engine.engine_id} if engine is not None else script

    def built_in(self) -> dict[str, Any]:
        name = self.training.model_name
        if unsent := [argument for argument in _CODE if getattr(self.training, argument)]:
            logger.warning("model_name=%r brings its own code: %s not sent", name, ", ".join(unsent))
        found = self.catalog.find(ALGORITHMS, lambda row: row.get("model_name") == name, ALGORITHMS in self.new)
        if found is None:
            known = [row.get("model_name", "") for row in self.catalog.rows(ALGORITHMS)]
            self.fault("model_name", name, f"the service has no such algorithm; {nearest(name, known)}")
            return {}
        return {"model_id": found.model_id}

    def engine(self) -> Record | None:
        kind, version = self.training.framework_type, self.training.framework_version
        for argument, value in (("framework_type", kind), ("framework_version", version)):
            if not value:
                self.fault(argument, value, "needed with code_dir; Estimator.get_framework_list lists what there is")
        if not (kind and version):
            return None
        found = self.catalog.find(
            ENGINES,
            lambda row: (
                loose(row.get("engine_name")) == loose(kind)
                and loose(row.get("engine_version")) == loose(version)
            ),
            ENGINES in self.new,
        )
        if found is None:
            self.no_engine(kind, version)
        return found

    def no_engine(self, kind: str, version: str) -> None:
        rows = self.catalog.rows(ENGINES)
        versions = [row["engine_version"] for row in rows if loose(row.get("engine_name")) == loose(kind)]
        if not versions:
            known = [row.get("engine_name", "") for row in rows]
            self.fault("framework_type", kind, f"the service has no such framework; {nearest(kind, known)}")
        else:
            self.fault("framework_version", version, f"{kind} has no such version; {nearest(version, versions)}")

    def script(self, required: bool) -> dict[str, Any]:
        code_dir, boot_file = self.training.code_dir, self.training.boot_file
        if required:
            for argument, value in (("code_dir", code_dir), ("boot_file", boot_file)):
                if not value:
                    self.fault(argument, value, "needed: the folder of the code and the script to start in it "
                                                "(or give model_name, or user_image_url and user_command)")  # fmt: skip
        elif boot_file and not code_dir:
            self.fault("code_dir", code_dir, "needed with boot_file")
        if not code_dir:
            return {}
        folder = self.place("code_dir", code_dir)
        if folder is None:
            return {}
        script = {"app_url": folder.as_dir.api}
        if boot_file:
            inside = self.boot_file(folder.as_dir)
            script["boot_file_url"] = inside.api if inside else ""
        return script

    def boot_file(self, folder: ObsPath) -> ObsPath | None:
        code_dir, boot_file = self.training.code_dir, self.training.boot_file
        if isinstance(boot_file, (str, os.PathLike)) and is_local(boot_file):
            relative = place_inside(code_dir, boot_file)
            path = None if relative is None else ObsPath(folder.bucket, folder.key + relative)
        else:
            path = self.obs_path("boot_file", boot_file)
            if path is None:
                return None
        if path is None or not folder.contains(path):
            self.fault("boot_file", boot_file, f"must lie in code_dir={code_dir!r}; a bare file name is taken as in it")
        elif path.as_dir == path:
            self.fault("boot_file", boot_file, "names a folder; give the script in it that is to be started")
        return path

    def parameter(self) -> list[dict[str, str]]:
        given = self.training.hyperparameters
        try:
            pairs = parameters.pairs(given)
        except ValueError as error:
            self.fault("hyperparameters", given, str(error))
            return []
        texts: dict[str, str] = {}
        for label, value in pairs:
            if not isinstance(label, str) or not label.strip():
                self.fault("hyperparameters", label, "every name is a text that is not empty")
                continue
            if label in texts:
                self.fault("hyperparameters", label, "is given twice; keep one")
            try:
                texts[label] = parameters.as_text(value)
            except (TypeError, ValueError) as error:
                self.fault("hyperparameters", {label: value}, f"the value cannot be written as JSON: {error}")
        return [{"label": label, "value": text} for label, text in texts.items()]

    # --- what it reads and writes

    def data(self) -> dict[str, Any]:
        call = self.call
        dataset = call.dataset_id is not None or call.dataset_version_id is not None
        if dataset:
            for argument, partner in (("dataset_id", "dataset_version_id"), ("dataset_version_id", "dataset_id")):
                if not getattr(call, argument):
                    self.fault(argument, getattr(call, argument), f"goes with {partner}; give both")
        kinds = {"inputs": call.inputs is not None, "dataset_id": dataset, "data_source": call.data_source is not None}
        given = [name for name, is_given in kinds.items() if is_given]
        if len(given) > 1:
            self.fault(given[0], getattr(call, given[0]),
                       f"excludes {' and '.join(given[1:])}; give one kind of input data")  # fmt: skip
        if not given and call.operation in (CREATE_JOB, CREATE_VERSION):
            self.fault("inputs", None, "input data are needed: give it, or dataset_id and dataset_version_id, "
                                       "or data_source")  # fmt: skip
        if not given:
            return {"enable_check": False}  # without it the service refuses a configuration that names no data
        if dataset:
            return {"dataset_id": str(call.dataset_id), "dataset_version_id": str(call.dataset_version_id)}
        if call.inputs is not None:
            path = self.place("inputs", call.inputs)
            return {"data_url": path.api} if path else {}
        return {"data_source": self.data_source()}

    def data_source(self) -> list[dict[str, Any]]:
        given = self.call.data_source
        if not isinstance(given, Sequence) or isinstance(given, (str, bytes)) or not given:
            self.fault("data_source", given, 'a list of {"type": "obs", "data_url": …} or {"type": "dataset", …}')
            return []
        kinds = {item.get("type") for item in given if isinstance(item, Mapping)}
        if len(kinds) > 1:
            self.fault("data_source", given, "obs and dataset cannot be mixed in one list")
        return [self.source(item) for item in given]

    def source(self, item: Any) -> dict[str, Any]:
        kind = item.get("type") if isinstance(item, Mapping) else None
        if kind not in limits.DATA_SOURCE_TYPES:
            self.fault("data_source", item, "every item is a dict whose type is 'obs' or 'dataset'")
            return {}
        if kind == "dataset":
            version = item.get("dataset_version", item.get("dataset_version_id"))
            if not item.get("dataset_id") or not version:
                self.fault("data_source", item, "type 'dataset' needs dataset_id and dataset_version")
            if item.get("data_url"):
                self.fault("data_source", item, "data_url excludes dataset_id and dataset_version")
            return dict(item)
        if not item.get("data_url"):
            self.fault("data_source", item, "type 'obs' needs data_url")
            return {}
        path = self.obs_path("data_source", item["data_url"])
        return {**item, "data_url": path.api} if path else {}

    def folder(self, argument: str, value: Any) -> str | None:
        path = self.obs_path(argument, value) if value else None
        return path.as_dir.api if path else None

    def place(self, argument: str, value: Any) -> ObsPath | None:
        """Where code or data will lie: an OBS path as it is, a local one at the place it is uploaded to."""
        if not isinstance(value, (str, os.PathLike)) or not is_local(value):
            return self.obs_path(argument, value)
        if not exists_locally(value):
            self.fault(argument, value, "there is no such local path; an OBS path begins with a slash or obs://")
            return None
        return _staging.target(value, self.bucket())

    def obs_path(self, argument: str, value: Any) -> ObsPath | None:
        try:
            return ObsPath.parse(value)
        except TypeError:
            self.fault(argument, value, "a text such as /bucket/folder/")
        except ValueError as error:
            self.fault(argument, value, str(error))
        return None
