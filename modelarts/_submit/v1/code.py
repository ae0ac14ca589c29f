"""What runs: a built-in algorithm, a custom image, or a script with an engine."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from modelarts._api.catalog import ALGORITHMS, ENGINES, Catalog, normalize, suggest
from modelarts._obs.paths import ObsPath, exists_locally, is_local, path_inside
from modelarts._submit import checks
from modelarts._submit.arguments import Checks
from modelarts._submit.v1 import environment
from modelarts._wire.json_records import Record
from modelarts._wire.v1 import limits

if TYPE_CHECKING:
    from modelarts._submit.training import Training

logger = logging.getLogger("modelarts")

_CODE = ("code_dir", "boot_file", "framework_type", "framework_version", "user_image_url", "user_command")


class CodeChoice:
    """Builds the members of a body that say what runs.

    Args:
        new: the lists that were requested for this call; they are not requested again when a name is missing.
    """

    def __init__(self, training: Training, catalog: Catalog, checks: Checks, new: Collection[str]) -> None:
        self.training = training
        self.catalog = catalog
        self.checks = checks
        self.new = new
        self.code_dir: Any = checks.local_paths.resolved(training.code_dir, checks.staging)

    def members(self) -> dict[str, Any]:
        """The members for code, engine, algorithm or image."""
        training = self.training
        if training.model_name:
            return self.built_in()
        if training.user_image_url or training.user_command:
            for argument in ("user_image_url", "user_command"):
                if not getattr(training, argument):
                    self.checks.problem(argument, None, "a custom image needs user_image_url and user_command")
            if problem := checks.fits_an_argument("user_command", training.user_command):
                self.checks.problems.append(problem)
            image = {"user_image_url": training.user_image_url, "user_command": training.user_command}
            return {**self.script(required=False), **image}
        script = self.script(required=True)
        engine = self.engine()
        return {**script, "engine_id": engine["engine_id"]} if engine is not None else script

    def built_in(self) -> dict[str, Any]:
        name: Any = self.training.model_name
        if unsent := [argument for argument in _CODE if not checks.is_missing(getattr(self.training, argument))]:
            logger.warning("model_name=%r brings its own code: %s not sent", name, ", ".join(unsent))
        found = self.catalog.find(ALGORITHMS, lambda row: row.get("model_name") == name, ALGORITHMS in self.new)
        if found is None:
            known = [row.get("model_name", "") for row in self.catalog.rows(ALGORITHMS)]
            self.checks.problem("model_name", name, f"the service has no such algorithm; {suggest(name, known)}")
            return {}
        return {"model_id": found["model_id"]}

    def engine(self) -> Record | None:
        kind: Any = self.training.framework_type
        version: Any = self.training.framework_version
        if not (kind or version) and self.training._is_debugging:
            return None
        for argument, value in (("framework_type", kind), ("framework_version", version)):
            if not value:
                rule = "required with code_dir; Estimator.get_framework_list lists the engines"
                self.checks.problem(argument, value, rule)
        if not (kind and version):
            return None
        found = self.catalog.find(
            ENGINES,
            lambda row: (
                normalize(row.get("engine_name")) == normalize(kind)
                and normalize(row.get("engine_version")) == normalize(version)
            ),
            ENGINES in self.new,
        )
        if found is None:
            self.no_engine(kind, version)
        return found

    def no_engine(self, kind: str, version: str) -> None:
        rows = self.catalog.rows(ENGINES)
        versions = [row["engine_version"] for row in rows if normalize(row.get("engine_name")) == normalize(kind)]
        if not versions:
            known = [row.get("engine_name", "") for row in rows]
            self.checks.problem("framework_type", kind, f"the service has no such framework; {suggest(kind, known)}")
        else:
            rule = f"{kind} has no such version; {suggest(version, versions)}"
            self.checks.problem("framework_version", version, rule)

    def script(self, required: bool) -> dict[str, Any]:
        code_dir, boot_file = self.code_dir, self.training.boot_file
        if required:
            for argument, value in (("code_dir", code_dir), ("boot_file", boot_file)):
                if checks.is_missing(value):
                    self.checks.problem(argument, value, "required: the folder of the code and the script to start in "
                                        "it (or pass model_name, or user_image_url and user_command)")  # fmt: skip
        elif checks.is_missing(code_dir) and not checks.is_missing(boot_file):
            self.checks.problem("code_dir", code_dir, "required with boot_file")
        if checks.is_missing(code_dir):
            return {}
        requirements = environment.requirements(self.training)
        folder = self.checks.code_or_data("code_dir", code_dir, requirements)
        if folder is None:
            return {}
        if requirements and not self.checks.is_uploaded("code_dir"):
            rule = f"its packages travel with local code; put a pip-requirements.txt into {folder.as_dir.url} instead"
            self.checks.problem("environment", self.training.environment, rule)
        script = {"app_url": folder.as_dir.api}
        if not checks.is_missing(boot_file):
            inside = self.boot_file(folder.as_dir)
            script["boot_file_url"] = inside.api if inside else ""
        return script

    def boot_file(self, folder: ObsPath) -> ObsPath | None:
        code_dir = self.code_dir
        boot_file: Any = self.training.boot_file
        if self.is_local_script():
            relative = path_inside(code_dir, boot_file)
            path = None if relative is None else ObsPath(folder.bucket, folder.key + relative)
        else:
            path = self.checks.obs_path("boot_file", boot_file)
            if path is None:
                return None
        if path is None or not folder.contains(path):
            rule = f"must be in code_dir={code_dir!r}; a name without folders means a file in it"
            self.checks.problem("boot_file", boot_file, rule)
        elif path.as_dir == path:
            self.checks.problem("boot_file", boot_file, "is a folder; name the script to start")
        elif reason := self.checks.missing("code_dir", path.key[len(folder.key) :]):
            self.checks.problem("boot_file", boot_file, reason)
        elif not self.training.user_command and (rule := limits.boot_rule(path.key)):
            self.checks.problem("boot_file", boot_file, rule)
        return path

    def is_local_script(self) -> bool:
        """Whether the script is a local path; with local code it may begin with a slash."""
        code_dir = self.code_dir
        boot_file: Any = self.training.boot_file
        if not isinstance(boot_file, (str, os.PathLike)):
            return False
        return is_local(boot_file) or (is_local(code_dir) and exists_locally(boot_file))
