"""Who you are, where requests go, and the buckets that belong to it."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from modelarts import _config
from modelarts._auth import AkSkAuth, Endpoint, TokenAuth
from modelarts._catalog import Catalog
from modelarts.errors import ConfigError

if TYPE_CHECKING:
    from modelarts._obs.local import LocalBuckets

__all__ = ["Session"]

REGIONS = ("cn-north-1", "cn-north-4", "cn-east-3", "cn-south-1")


class Session:
    """A login to ModelArts: the cloud's, or the service on this machine (modelarts_04_0154).

    Args:
        access_key, secret_key: access key id and secret of a cloud account.
        project_id: project id of the region.
        region_name: region such as `cn-north-4`.
        security_token: token of temporary access keys.
        strict: a refused call raises `ApiError` instead of returning a response.

    Without arguments they come from the environment and `~/.modelarts/config.json`; `MODELARTS_MODE=local`
    makes it a session on the local service instead.

    Raises:
        ConfigError: neither local mode nor credentials were found, or the region is unknown.

    Example:
        >>> session = Session.local()
    """

    _endpoints: ClassVar[dict[str, dict[str, str]]] = {}

    def __init__(
        self,
        access_key: str | None = None,
        secret_key: str | None = None,
        project_id: str | None = None,
        region_name: str | None = None,
        *,
        account: str | None = None,
        username: str | None = None,
        password: str | None = None,
        security_token: str | None = None,
        strict: bool | None = None,
    ) -> None:
        if account or username or password:
            raise ConfigError(
                "sessions by account, username and password are not supported yet; "
                "use access_key and secret_key, or Session.local()"
            )
        arguments = {
            "access_key": access_key, "secret_key": secret_key, "project_id": project_id,
            "region_name": region_name, "security_token": security_token, "strict": strict,
        }  # fmt: skip
        settings = _config.resolve(arguments)
        if settings["mode"].value == "local" and not (access_key or secret_key):
            self._start_local(None, settings)
        else:
            self._start_cloud(settings)

    @classmethod
    def local(cls, home: str | os.PathLike[str] | None = None, strict: bool | None = None) -> Session:
        """A session on the service of this machine, which is started when it does not run.

        Args:
            home: folder of all its state; by default `MODELARTS_HOME`, else `~/.modelarts`.
            strict: as for `Session`.

        Raises:
            ServiceError: the service cannot be started; the message says why.
        """
        session = cls.__new__(cls)
        session._start_local(home, _config.resolve({"strict": strict}, _config.home_directory(home)))
        return session

    @classmethod
    def set_endpoint(
        cls, iam_endpoint: str, obs_endpoint: str, modelarts_endpoint: str, region_name: str
    ) -> None:
        """Give the endpoints of a region, as hosts or URLs, before a session is made (modelarts_04_0300)."""
        cls._endpoints[region_name] = {
            "iam": _as_url(iam_endpoint), "obs": _as_url(obs_endpoint), "modelarts": _as_url(modelarts_endpoint),
        }  # fmt: skip

    def _start_local(self, home: str | os.PathLike[str] | None, settings: dict[str, _config.Value]) -> None:
        from modelarts._obs.local import LocalBuckets

        place = _config.home_directory(home)

        def find() -> Endpoint:
            from modelarts.local import daemon

            address = daemon.ensure(place)
            return Endpoint(address.url, TokenAuth(address.token), address.project_id, find, direct=True)

        self.region_name = "local"
        self._open(find(), settings)
        self._buckets: LocalBuckets | None = LocalBuckets(place / "local" / "buckets")

    def _start_cloud(self, settings: dict[str, _config.Value]) -> None:
        needed = ("access_key", "secret_key", "project_id", "region_name")
        if any(not settings[name].value for name in needed):
            raise ConfigError(_nothing_found(settings, needed))
        values = {name: settings[name].value for name in (*needed, "security_token")}
        self.region_name = values["region_name"]
        auth = AkSkAuth(
            values["access_key"], values["secret_key"], values["project_id"], values["security_token"]
        )
        self._buckets = None
        self._open(Endpoint(self._region_endpoint(), auth, values["project_id"]), settings)

    def _region_endpoint(self) -> str:
        if self.region_name in self._endpoints:
            return self._endpoints[self.region_name]["modelarts"]
        if self.region_name not in REGIONS:
            raise ConfigError(
                f"region_name={self.region_name!r} is unknown; known are {', '.join(REGIONS)}. "
                "For another one call Session.set_endpoint(…) first."
            )
        return f"https://modelarts.{self.region_name}.myhuaweicloud.com"

    def _open(self, endpoint: Endpoint, settings: dict[str, _config.Value]) -> None:
        # The HTTP library is half of the import time: only sessions pay it.
        from modelarts._http import Client
        from modelarts._transport import Transport

        sending = _config.Sending(settings["connect_timeout"].value, settings["read_timeout"].value)
        self.client = Client(endpoint, Transport(sending, endpoint.direct), settings["strict"].value)
        self.catalog = Catalog(self.client, settings["catalog_lifetime"].value)

    @property
    def host(self) -> str:
        """The address that requests go to."""
        return self.client.endpoint.url

    @property
    def project_id(self) -> str:
        """The project that jobs belong to."""
        return self.client.endpoint.project_id

    @property
    def strict(self) -> bool:
        """Whether refused calls raise."""
        return self.client.strict

    @property
    def obs(self) -> LocalBuckets:
        """Buckets: `upload_file`, `upload_dir`, `download_file`, `download_dir` and more."""
        if self._buckets is None:
            raise ConfigError(
                "session.obs works on local sessions only so far; for cloud buckets use the OBS console, "
                "obsutil or the package esdk-obs-python"
            )
        return self._buckets

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        """Within a `with` block, let each call of this thread take so many seconds in total, repeats included."""
        return self.client.deadline(seconds)

    def close(self) -> None:
        """Close the connections; the session can be used again."""
        self.client.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def default_bucket(self) -> str:
        """Name of the bucket that gets what has no other place; it is made when missing."""
        digest = hashlib.md5(self.project_id.encode(), usedforsecurity=False).hexdigest()
        name = f"modelarts-{self.region_name}-{digest[:8]}"
        self.obs.create_bucket(name)
        return name

    def __repr__(self) -> str:
        return f"Session(host={self.host!r}, project_id={self.project_id!r}, region_name={self.region_name!r})"


def _as_url(endpoint: str) -> str:
    url = endpoint if re.match(r"https?://", endpoint) else f"https://{endpoint}"
    return url.rstrip("/")


def _nothing_found(settings: dict[str, Any], needed: tuple[str, ...]) -> str:
    lines = []
    for setting in _config.SETTINGS:
        if setting.name in needed:
            found = settings[setting.name]
            where = f"found ({found.source})" if found.value else f"missing: argument, {' or '.join(setting.env)}"
            lines.append(f"\n  - {setting.name}: {where}")
    config = Path(_config.home_directory()) / "config.json"
    return (
        "Session() found no credentials. Looked for arguments, environment variables and "
        f"{config}:{''.join(lines)}\n"
        "To work on this machine without an account, call Session.local() or set MODELARTS_MODE=local."
    )
