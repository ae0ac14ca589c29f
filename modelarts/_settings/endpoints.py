"""The addresses of a region's services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from modelarts._settings.table import Settings, Value, variables_of
from modelarts.errors import ConfigError

REGIONS = ("cn-north-1", "cn-north-4", "cn-east-3", "cn-south-1")
SERVICES = ("modelarts", "iam", "obs")


class Endpoints(NamedTuple):
    """The addresses of a region's services by name, each with its source."""

    region_name: str
    found: Mapping[str, Value]

    @property
    def known(self) -> list[str]:
        """The addresses that are known."""
        return [str(value.value) for value in self.found.values() if value.value]

    def url(self, service: str) -> str:
        """The address of `modelarts`, `iam` or `obs`. Raises `ConfigError` where it is not known."""
        url = str(self.found[service].value)
        if url:
            return url
        if service == "modelarts":
            raise ConfigError(
                f"region_name={self.region_name!r} is unknown; known are {', '.join(REGIONS)}. "
                f"For another one call Session.set_endpoint(…) first, or set {variables_of('modelarts_endpoint')}."
            )
        raise ConfigError(
            f"{service}_endpoint is missing: of region_name={self.region_name!r} only some endpoints are known. "
            f"Call Session.set_endpoint(…) first, or set {variables_of(f'{service}_endpoint')}."
        )


def resolve(settings: Settings, given: Mapping[str, Mapping[str, str]]) -> Endpoints:
    """The endpoints of the session's region: from `Session.set_endpoint`, else a setting, else the known ones.

    Args:
        given: those of `Session.set_endpoint`, by region and service.
    """
    region = str(settings["region_name"].value)
    return Endpoints(region, {service: _endpoint(service, region, settings, given) for service in SERVICES})


def _endpoint(service: str, region: str, settings: Settings, given: Mapping[str, Mapping[str, str]]) -> Value:
    by_call = given.get(region, {}).get(service)
    if by_call:
        return Value(by_call, "Session.set_endpoint")
    setting = settings[f"{service}_endpoint"]
    if setting.value or region not in REGIONS:
        return setting
    return Value(f"https://{service}.{region}.myhuaweicloud.com", f"region {region}")
