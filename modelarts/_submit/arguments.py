"""The arguments of a call as the user gave them, and the checks that all of its parts share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import attrs

from modelarts._obs.paths import ObsPath, exists_locally, is_local
from modelarts._submit import checks
from modelarts._wire.v1 import limits
from modelarts.errors import ArgumentProblem, ModelArtsError

if TYPE_CHECKING:
    from modelarts._submit.staging.staging import Staging

_NEVER_SENT = ObsPath("never-sent")  # stands for a place where there are faults already


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


class Checks:
    """Gathers what is wrong with the arguments of one call.

    Args:
        staging: gets the local code and data.
    """

    def __init__(self, staging: Staging) -> None:
        self.staging = staging
        self.faults: list[ArgumentProblem] = []

    def fault(self, argument: str, value: Any, rule: str) -> None:
        self.faults.append(ArgumentProblem(argument, value, rule))

    def name(self, argument: str, name: Any, value: Any = None, rule: str = limits.NAME_RULE) -> str:
        if not isinstance(name, str) or not limits.NAME.fullmatch(name):
            self.fault(argument, name if value is None else value, rule)
        return str(name)

    def description(self, argument: str, text: Any) -> str | None:
        if text is None:
            return None
        if fault := checks.description(argument, text):
            self.faults.append(fault)
        return str(text)

    def identifier(self, argument: str, value: Any) -> int | None:
        if fault := checks.number(argument, value, 0):
            self.faults.append(fault)
        return checks.whole_number(value)

    def folder(self, argument: str, value: Any) -> str | None:
        path = self.obs_path(argument, value) if value else None
        return path.as_dir.api if path else None

    def place(self, argument: str, value: Any) -> ObsPath | None:
        """Where code or data will lie: an OBS path as it is, a local one at the place it is uploaded to."""
        if not isinstance(value, (str, os.PathLike)) or not is_local(value):
            return self._in_bucket(argument, value)
        if not exists_locally(value):
            self.fault(argument, value, "there is no such local path; an OBS path begins with a slash or obs://")
            return None
        try:
            self.staging.pack(argument, value)
            if not self.faults:
                return self.staging.address(argument)
        except ModelArtsError:
            raise
        except ValueError as error:
            self.fault(argument, value, str(error))
        except OSError as error:
            self.fault(argument, value, f"cannot read {error.filename or value}: {error.strerror or error}")
        return _NEVER_SENT if argument in self.staging.bundles else None

    def missing(self, argument: str, inside: str) -> str | None:
        """Why a file of a local folder that goes along does not; nothing when it does, or nobody here knows."""
        packed = self.staging.bundles.get(argument)
        return packed.script_problem(inside) if packed else None

    def _in_bucket(self, argument: str, value: Any) -> ObsPath | None:
        path = self.obs_path(argument, value)
        if path is None or not value.startswith("/") or not exists_locally(value):
            return path
        if self.staging.has_bucket(path.bucket):
            return path
        rule = (f"lies on this machine, and the session has no bucket {path.bucket!r}; give Path({value!r}) for what "
                f"lies here, {path.url} for what lies in a bucket")  # fmt: skip
        self.fault(argument, value, rule)
        return None

    def obs_path(self, argument: str, value: Any) -> ObsPath | None:
        try:
            return ObsPath.parse(value)
        except TypeError:
            self.fault(argument, value, "a text such as /bucket/folder/")
        except ValueError as error:
            self.fault(argument, value, str(error))
        return None
