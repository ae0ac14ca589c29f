"""The arguments of a call as the user passed them, and the checks that all parts of a body share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import attrs

from modelarts._obs.paths import ObsPath, exists_locally, is_local
from modelarts._submit import checks
from modelarts._submit.path_hints import path_hint
from modelarts._wire.v1 import limits
from modelarts.errors import ArgumentProblem, ModelArtsError

if TYPE_CHECKING:
    from modelarts._submit.local_paths import LocalPaths
    from modelarts._submit.staging.staging import Staging
    from modelarts._submit.training import Training

_NEVER_SENT = ObsPath("never-sent")  # the path of what is not uploaded, because there are problems already


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
    job_id: Any = None
    pre_version_id: Any = None
    priority: Any = None


CALL_FIELDS = tuple(field.name for field in attrs.fields(Call) if field.name != "operation")


# What to pass in place of paths of other types.
_INSTEAD = {
    "inputs": ', or a local path; for several: data_source=[{"type": "obs", "data_url": …}, …]',
    "output_path": "; results are written to a bucket, and session.obs.download_dir downloads them",
}

_TEXTS = ("user_image_url", "user_command", "nas_type", "nas_share_addr", "nas_mount_path")
_TEXTS_OR_NUMBERS = ("train_instance_type", "pool_id", "model_name", "framework_type", "framework_version",
                     "base_job_name", "workspace_id")  # fmt: skip
_CALL_TEXTS = ("dataset_id", "dataset_version_id", "job_name", "config_name")


def type_problems(training: Training, call: Call) -> list[ArgumentProblem | None]:
    """The problems with the types of arguments that have no check of their own, so that later ones need not care."""
    texts = {name: getattr(training, name) for name in _TEXTS_OR_NUMBERS}
    texts.update({name: getattr(call, name) for name in _CALL_TEXTS})
    problems = [checks.text(name, value) for name, value in texts.items() if value is not None]
    problems += [ArgumentProblem(name, getattr(training, name), "a text") for name in _TEXTS
                 if not isinstance(getattr(training, name), (str, type(None)))]  # fmt: skip
    if training.volumes is not None:
        problems.append(checks.json_list("volumes", training.volumes))
    if not (training.create_version is None or isinstance(training.create_version, bool)):
        problems.append(ArgumentProblem("create_version", training.create_version, "True, False or None"))
    return problems


class Checks:
    """Collects the problems with the arguments of one call.

    Args:
        staging: gets the local code and data.
        local_paths: what is known about the local paths of the call.
    """

    def __init__(self, staging: Staging, local_paths: LocalPaths) -> None:
        self.staging = staging
        self.local_paths = local_paths
        self.problems: list[ArgumentProblem] = []

    def problem(self, argument: str, value: Any, rule: str) -> None:
        self.problems.append(ArgumentProblem(argument, value, rule))

    def name(self, argument: str, name: Any, value: Any = None, rule: str = limits.NAME_RULE) -> str:
        if not isinstance(name, str) or not limits.NAME.fullmatch(name):
            self.problem(argument, name if value is None else value, rule)
            return ""
        return name

    def description(self, argument: str, text: Any) -> str | None:
        if text is None:
            return None
        if problem := checks.description(argument, text):
            self.problems.append(problem)
            return None
        return str(text)

    def identifier(self, argument: str, value: Any) -> int | None:
        if problem := checks.number(argument, value, 0):
            self.problems.append(problem)
        return checks.whole_number(value)

    def folder(self, argument: str, value: Any) -> str | None:
        if checks.is_missing(value):
            return None
        path = self._results(value) or self.obs_path(argument, value)
        return path.as_dir.api if path else None

    def output(self, argument: str, value: Any) -> str:
        """The destination of results; an empty text if there is none."""
        if checks.is_missing(value):
            return ""
        path = self._results(value) or self.obs_path(argument, value)
        return path.as_output.api if path else ""

    def _results(self, value: Any) -> ObsPath | None:
        """The path of results on this machine; `None` if they are in a bucket."""
        path = self.local_paths.in_place(value, self.staging, must_exist=False)
        if path is not None:
            self.staging.results.append(path.under("/"))
        return path

    def data(self, argument: str, value: Any) -> ObsPath | None:
        """The path of data: as `code_or_data`, but local data are used where they are by a job on this machine."""
        value = self.local_paths.resolved(value, self.staging)
        return self.local_paths.in_place(value, self.staging, must_exist=True) or self.code_or_data(argument, value)

    def code_or_data(self, argument: str, value: Any, requirements: str = "") -> ObsPath | None:
        """The OBS path of code or data: an OBS path as it is, and for a local path the one it is uploaded to.

        Args:
            argument, value: the argument.
            requirements: lines that local code gets in its `pip-requirements.txt`.
        """
        if not isinstance(value, (str, os.PathLike)) or not is_local(value):
            return self._in_bucket(argument, value)
        if not exists_locally(value):
            rule = "there is no such local path; an OBS path begins with a slash or obs://"
            self.problem(argument, value, f"{rule}{path_hint(value)}" if value else "is empty; pass None for no path")
            return None
        try:
            self.staging.pack(argument, value, requirements)
            if not self.problems:
                return self.staging.address(argument)
        except ModelArtsError:
            raise
        except ValueError as error:
            self.problem(argument, value, str(error))
        except OSError as error:
            self.problem(argument, value, f"cannot read {error.filename or value}: {error.strerror or error}")
        return _NEVER_SENT if argument in self.staging.bundles else None

    def is_uploaded(self, argument: str) -> bool:
        """Whether the value of an argument is local code or data, which is uploaded."""
        return argument in self.staging.bundles

    def missing(self, argument: str, inside: str) -> str | None:
        """Why a file of a local folder is not uploaded; `None` when it is, and for folders in a bucket."""
        packed = self.staging.bundles.get(argument)
        return packed.script_problem(inside) if packed else None

    def _in_bucket(self, argument: str, value: Any) -> ObsPath | None:
        path = self.obs_path(argument, value)
        if path is None or not value.startswith("/"):
            return path
        if not exists_locally(value) and not self.local_paths.are_in_place:
            return path
        if self.staging.has_bucket(path.bucket):
            return path
        if not exists_locally(value):
            rule = f"there is no such path on this machine, where the job runs, and no bucket {path.bucket!r}"
            self.problem(argument, value, rule)
            return None
        rule = (f"exists on this machine, and the session has no bucket {path.bucket!r}; write Path({value!r}) for the "
                f"local path, {path.url} for a path in a bucket")  # fmt: skip
        self.problem(argument, value, rule)
        return None

    def obs_path(self, argument: str, value: Any) -> ObsPath | None:
        try:
            path = ObsPath.given(value)
            if not self.local_paths.only_here or argument == "boot_file" or self.staging.has_bucket(path.bucket):
                return path
            rule = (f"the job runs on this machine, where there is no such path and no bucket {path.bucket!r}; pass a "
                    "local path (session.obs.download_dir downloads from the cloud)")  # fmt: skip
            self.problem(argument, value, rule)
        except TypeError:
            rule = f"a text such as /bucket/folder/{_INSTEAD.get(argument, '')}"
            self.problem(argument, value, rule)
        except ValueError as error:
            self.problem(argument, value, f"{error}{path_hint(value)}")
        return None
