"""The environment of documented local training (modelarts_04_0222)."""

from __future__ import annotations

from modelarts.environment.conda_env import CondaDependencies

__all__ = ["CondaDependencies", "Environment"]


class Environment:
    """A named set of packages. `Estimator` does not support it yet, see docs/compatibility.md.

    Args:
        name: name of the environment.
        conda: its packages; may be assigned later.

    Example:
        >>> environment = Environment("digits")
        >>> environment.conda = CondaDependencies.create(pip_packages=["scikit-learn"])
    """

    def __init__(self, name: str, conda: CondaDependencies | None = None) -> None:
        self.name = name
        self.conda = conda

    def __repr__(self) -> str:
        return f"Environment({self.name!r}, conda={self.conda!r})"
