"""The packages of an environment."""

from __future__ import annotations

import attrs

__all__ = ["CondaDependencies"]


@attrs.define
class CondaDependencies:
    """Channels, pip packages and conda packages, each a list of requirement texts."""

    channels: list[str] = attrs.field(factory=list)
    pip_packages: list[str] = attrs.field(factory=list)
    conda_packages: list[str] = attrs.field(factory=list)

    @classmethod
    def create(
        cls,
        channels: list[str] | None = None,
        pip_packages: list[str] | None = None,
        conda_packages: list[str] | None = None,
    ) -> CondaDependencies:
        """Make a list of packages (modelarts_04_0222).

        Args:
            channels: package channels.
            pip_packages: such as `["tensorflow==1.13.1", "Pillow>=8.0.1"]`.
            conda_packages: such as `["python=3.6.2"]`.
        """
        return cls(list(channels or ()), list(pip_packages or ()), list(conda_packages or ()))
