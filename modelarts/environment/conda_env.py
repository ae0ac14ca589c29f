"""The packages of an environment."""

from __future__ import annotations

import attrs

__all__ = ["CondaDependencies"]


@attrs.define
class CondaDependencies:
    """The packages of an environment; each attribute is a list of texts."""

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
        """Create the packages of an environment (modelarts_04_0222).

        Args:
            channels: conda channels, by name or URL.
            pip_packages: requirements such as `["tensorflow==1.13.1", "Pillow>=8.0.1"]`.
            conda_packages: requirements such as `["python=3.6.2"]`.

        Returns:
            The packages, for `Environment.conda`.
        """
        return cls(list(channels or ()), list(pip_packages or ()), list(conda_packages or ()))
