"""The environment that a training runs in (modelarts_04_0222)."""

from __future__ import annotations

from modelarts._wire.v1 import packages
from modelarts.environment.conda_env import CondaDependencies
from modelarts.errors import ArgumentError, ArgumentProblem

__all__ = ["CondaDependencies", "Environment"]


class Environment:
    """A named set of packages, for `Estimator(environment=…)`.

    The local service creates it with conda, mamba or micromamba where one of them is installed, else as a virtual
    environment; see docs/debugging.md.

    Args:
        name: name of the environment, for logs.
        conda: its packages; may be assigned later.

    Raises:
        ArgumentError: the name is no text, or `conda` is not what `CondaDependencies.create` returns.

    Example:
        >>> environment = Environment("digits")
        >>> environment.conda = CondaDependencies.create(pip_packages=["scikit-learn"])
    """

    def __init__(self, name: str, conda: CondaDependencies | None = None) -> None:
        problems = []
        if rule := packages.name_problem(name):
            problems.append(ArgumentProblem("name", name, rule))
        if conda is not None and not isinstance(conda, CondaDependencies):
            problems.append(ArgumentProblem("conda", conda, "what CondaDependencies.create(…) returns"))
        if problems:
            raise ArgumentError("Environment", problems)
        self.name = name
        self.conda = conda

    def __repr__(self) -> str:
        return f"Environment({self.name!r}, conda={self.conda!r})"
