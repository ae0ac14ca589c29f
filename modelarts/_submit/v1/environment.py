"""The packages of `environment`: a member of bodies for the local service, `pip-requirements.txt` in the cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelarts.errors import ArgumentProblem

if TYPE_CHECKING:
    from modelarts._submit.training import Training

_CLOUD = "the v1 API of the cloud knows no conda; "
_NEXT = (
    "choose the framework_version with the Python that you need, and name packages of pip only. The local service "
    "takes the whole environment"
)


def problems(training: Training) -> list[ArgumentProblem]:
    """What is wrong with the environment of a training."""
    environment = training.environment
    if environment is None:
        return []
    from modelarts._wire.v1 import packages  # few calls have one

    if not (hasattr(environment, "name") and hasattr(environment, "conda")):
        return [_problem(environment, "an Environment of modelarts.environment, or None")]
    conda = environment.conda
    if not (conda is None or all(hasattr(conda, name) for name in packages.LISTS)):
        return [ArgumentProblem("environment.conda", conda, "what CondaDependencies.create(…) returns, or None")]
    found = [
        ArgumentProblem(f"environment.conda.{problem.argument}", problem.value, problem.rule)
        for problem in packages.list_problems({name: getattr(conda, name, None) for name in packages.LISTS})
    ]
    if rule := packages.name_problem(environment.name):
        found.append(ArgumentProblem("environment.name", environment.name, rule))
    if training.user_image_url or training.user_command or training.model_name:
        found.append(_problem(environment, "belongs to code_dir with boot_file; an image or a built-in algorithm "
                              "brings its own packages"))  # fmt: skip
    return found or ([] if training._takes_environments else _cloud_problems(training))


def members(training: Training) -> dict[str, Any]:
    """The member of a body that only the local service takes."""
    if training.environment is None or not training._takes_environments:
        return {}
    from modelarts._wire.v1 import packages

    conda = training.environment.conda
    lists = {name: list(getattr(conda, name, None) or ()) for name in packages.LISTS}
    return {"environment": {"name": training.environment.name, **lists}}


def requirements(training: Training) -> str:
    """The `pip-requirements.txt` by which packages travel with the code to the cloud; empty if there is none."""
    if training.environment is None or training._takes_environments:
        return ""
    return "".join(f"{package.strip()}\n" for package in _list(training, "pip_packages"))


def _cloud_problems(training: Training) -> list[ArgumentProblem]:
    from modelarts._wire.v1 import packages

    found = []
    for name in (packages.CONDA, packages.CHANNELS):
        if given := _list(training, name):
            shown = [packages.hidden(item) for item in given]
            found.append(ArgumentProblem(f"environment.conda.{name}", shown, _CLOUD + _NEXT))
    for package in _list(training, packages.PIP):
        if package.startswith(("/", "file:")):
            rule = "is on this machine only; put it into code_dir and name it in a pip-requirements.txt there"
            found.append(ArgumentProblem("environment.conda.pip_packages", package, rule))
    return found


def _list(training: Training, name: str) -> list[str]:
    conda = training.environment and training.environment.conda
    return getattr(conda, name, None) or []


def _problem(value: Any, rule: str) -> ArgumentProblem:
    return ArgumentProblem("environment", value, rule)
