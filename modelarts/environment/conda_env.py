"""The packages of an environment."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from modelarts._wire.v1 import packages
from modelarts.errors import ArgumentError, ArgumentProblem

__all__ = ["CondaDependencies"]


def _shown(value: object) -> str:
    return repr([packages.hidden(item) for item in value] if isinstance(value, list) else value)


@attrs.define
class CondaDependencies:
    """The packages of an environment; each attribute is a list of texts, and may be changed.

    Logins and tokens in URLs are not shown.
    """

    channels: list[str] = attrs.field(factory=list, repr=_shown)
    pip_packages: list[str] = attrs.field(factory=list, repr=_shown)
    conda_packages: list[str] = attrs.field(factory=list, repr=_shown)

    @classmethod
    def create(
        cls,
        channels: Sequence[str] | None = None,
        pip_packages: Sequence[str] | None = None,
        conda_packages: Sequence[str] | None = None,
    ) -> CondaDependencies:
        """Create the packages of an environment (modelarts_04_0222).

        Args:
            channels: conda channels, by name or URL; by default those of the configuration of conda.
            pip_packages: requirements such as `["tensorflow==1.13.1", "Pillow>=8.0.1"]`. Options of pip such as
                `--index-url` are refused: set them in the configuration of pip.
            conda_packages: requirements such as `["python=3.6.2"]`.

        Returns:
            The packages, for `Environment.conda`.

        Raises:
            ArgumentError: an argument is no list of texts, or an item is no requirement.

        Example:
            >>> CondaDependencies.create(pip_packages=["requests"], conda_packages=["python>=3.9"])
            CondaDependencies(channels=[], pip_packages=['requests'], conda_packages=['python>=3.9'])
        """
        lists = {"channels": channels, "pip_packages": pip_packages, "conda_packages": conda_packages}
        if problems := packages.list_problems(lists):
            raise ArgumentError("CondaDependencies.create", [ArgumentProblem(*problem) for problem in problems])
        return cls(list(channels or ()), list(pip_packages or ()), list(conda_packages or ()))
