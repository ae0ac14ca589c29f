"""The address of the service of a home, which it writes to a file while it runs."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, Callable, TypeVar

import attrs
from attrs.validators import instance_of

from modelarts.local import locks
from modelarts.local.installation import Installation
from modelarts.local.paths import LocalHome, read_json
from modelarts.local.processes import Process

Kind = TypeVar("Kind")

_TEXT = instance_of(str)


@attrs.frozen
class CloudOptions:
    """Options of a service that also behaves as the cloud does (`--auth iam`)."""

    region: str = attrs.field(default="", validator=_TEXT)  # empty: that of the stored account, else cn-north-4
    port: int = attrs.field(default=0, validator=instance_of(int))  # 0: any free port


@attrs.frozen
class CloudAddress:
    """Address of a running service that behaves as the cloud does, and what clients need to log in to it."""

    url: str = attrs.field(validator=_TEXT)
    ca_bundle: str = attrs.field(validator=_TEXT)
    account: str = attrs.field(validator=_TEXT)
    region_name: str = attrs.field(validator=_TEXT)
    project_id: str = attrs.field(validator=_TEXT)


@attrs.frozen
class Address:
    """Address of a running service, and the token that it requires."""

    url: str = attrs.field(validator=_TEXT)
    token: str = attrs.field(repr=False, validator=_TEXT)
    project_id: str = attrs.field(validator=_TEXT)
    pid: int = attrs.field(validator=instance_of(int))
    iam: CloudAddress | None = None
    started: str = attrs.field(default="", validator=_TEXT)  # start time of the process, see `Process`
    installation: Installation | None = None


def record(kind: Callable[..., Kind], stored: Any) -> Kind | None:
    """What a file holds as a value of a class; members that only another version knows are ignored.

    Returns:
        `None` if it is not the JSON object that the class stands for.
    """
    if not isinstance(stored, dict):
        return None
    members = {name: value for name, value in stored.items() if name in inspect.signature(kind).parameters}
    try:
        return kind(**members)
    except TypeError:
        return None


def find(home: Path) -> Address | None:
    """The running service of a home, or `None`; an address left behind by a service that was killed does not count."""
    paths = LocalHome.of(home)
    stored = read_json(paths.address) if locks.is_held(paths.running) else None
    address = record(Address, stored)
    if address is None or not Process(address.pid, address.started).is_running():
        return None
    iam, installation = record(CloudAddress, address.iam), record(Installation, address.installation)
    return attrs.evolve(address, iam=iam, installation=installation)
