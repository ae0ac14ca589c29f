"""Who you are, where requests go, and the buckets that belong to it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar

from modelarts._api.catalog import Catalog
from modelarts._api.endpoint import Endpoint
from modelarts._auth import login
from modelarts._auth.signing import Auth, TokenAuth
from modelarts._settings import endpoints, table
from modelarts._settings.endpoints import Endpoints
from modelarts._settings.home import home_directory
from modelarts.errors import ConfigError, set_language

if TYPE_CHECKING:
    from modelarts._obs.arguments import LocalPath
    from modelarts._obs.buckets import Buckets
    from modelarts._transport.transport import Transport

__all__ = ["Session"]


class Session:
    """A login to ModelArts: the cloud's, or the service on this machine (modelarts_04_0154).

    Args:
        access_key, secret_key: access key id and secret of a cloud account.
        project_id: project id of the region; when it is left out, IAM is asked for it at once.
        region_name: region such as `cn-north-4`.
        account, username, password: a user's login in place of keys; without `account`, `username` is the account's.
        security_token: token of temporary access keys.
        profile: which of the `profiles` in `config.json` to use; it counts before the environment.
        config_file: a file to read in place of `~/.modelarts/config.json`; it counts before the environment.
        strict: a refused call raises `ApiError` instead of returning a response.
        connect_timeout, read_timeout, total_timeout: seconds to reach the service, to wait for its next bytes, and
            for a whole call with its repeats.
        app_id, app_token, w3_account: refused; logins of this kind are not supported.

    What is left out comes from the environment, then the credentials file that `AWS_SHARED_CREDENTIALS_FILE` names,
    then `~/.huaweicloud/credentials`, then the usual profile of `~/.modelarts/config.json`, then that file itself;
    access key and secret always from the same place. `modelarts whoami` shows what is used. `MODELARTS_MODE=local`
    makes it a session on the local service instead.

    Raises:
        ConfigError: neither local mode nor credentials were found, or the region is unknown.
        AuthError, ConnectionFailed: IAM was asked for the project and refused, or did not answer.

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
        profile: str | None = None,
        config_file: str | os.PathLike[str] | None = None,
        strict: bool | None = None,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        total_timeout: float | None = None,
        app_id: str | None = None,
        app_token: str | None = None,
        w3_account: str | None = None,
    ) -> None:
        _refuse(app_id=app_id, app_token=app_token, w3_account=w3_account)
        arguments = {
            "access_key": access_key, "secret_key": secret_key, "project_id": project_id,
            "region_name": region_name, "account": account, "username": username, "password": password,
            "security_token": security_token, "profile": profile, "config_file": config_file, "strict": strict,
            "connect_timeout": connect_timeout, "read_timeout": read_timeout, "total_timeout": total_timeout,
        }  # fmt: skip
        settings = _settings(arguments)
        login.check_arguments(settings)
        if login.means_cloud(settings):
            self._start_cloud(settings)
        else:
            self._start_local(None, settings)

    @classmethod
    def local(cls, home: str | os.PathLike[str] | None = None, strict: bool | None = None) -> Session:
        """A session on the service of this machine, which is started when it does not run.

        Args:
            home: folder of all its state; each folder has a service, jobs and buckets of its own. By default
                `MODELARTS_HOME`, else `~/.modelarts`.
            strict: as for `Session`.

        Raises:
            ServiceError: the service cannot be started; the message says why.
        """
        session = cls.__new__(cls)
        session._start_local(home, _settings({"strict": strict}, home))
        return session

    @classmethod
    def set_endpoint(cls, iam_endpoint: str, obs_endpoint: str, modelarts_endpoint: str, region_name: str) -> None:
        """Give the endpoints of a region before a session is made (modelarts_04_0300).

        Args:
            iam_endpoint, obs_endpoint, modelarts_endpoint: hosts, which means https, or URLs.
            region_name: the region that they are for; sessions of others are not touched.

        Raises:
            ConfigError: one of them is no host and no URL, or the region has no name.

        Example:
            >>> Session.set_endpoint("iam.example.com", "obs.example.com", "modelarts.example.com", "eu-de")
        """
        if not isinstance(region_name, str) or not region_name.strip():
            raise ConfigError(f"region_name={region_name!r}: name the region that the endpoints are for")
        region = table.checked("region_name", region_name)
        given = {"iam": iam_endpoint, "obs": obs_endpoint, "modelarts": modelarts_endpoint}
        cls._endpoints[region] = {
            service: table.checked(f"{service}_endpoint", text) if text else "" for service, text in given.items()
        }

    def _start_local(self, home: str | os.PathLike[str] | None, settings: table.Settings) -> None:
        from modelarts._obs.local.buckets import LocalBuckets

        folder = home_directory(home)

        def resolve_endpoint() -> Endpoint:
            from modelarts.local import daemon

            address = daemon.ensure(folder)
            auth = TokenAuth(address.token)
            return Endpoint(address.url, auth, address.project_id, resolve_endpoint, bypass_proxy=True)

        self.region_name = "local"
        self._open(resolve_endpoint(), settings, _transport(settings, bypass_proxy=True))
        self._buckets: Buckets | None = LocalBuckets(folder / "local" / "buckets")

    def _start_cloud(self, settings: table.Settings) -> None:
        login.check(settings)
        self.region_name = settings["region_name"].value
        self._services = endpoints.resolve(settings, self._endpoints)
        host, transport = self._services.url("modelarts"), _transport(settings)
        transport.sending.check_proxies(self._services.known)
        auth, project_id = _cloud_auth(settings, self._services, transport)
        self._buckets = None
        self._open(Endpoint(host, auth, project_id), settings, transport)

    def _open(self, endpoint: Endpoint, settings: table.Settings, transport: Transport) -> None:
        from modelarts._api.client import Client

        self.client = Client(endpoint, transport, settings["strict"].value)
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
    def obs(self) -> Buckets:
        """Buckets: `upload_file`, `upload_dir`, `download_file`, `download_dir`, `list`, `delete` and more.

        Raises:
            ConfigError: the address of OBS is not known.
        """
        if self._buckets is None:
            from modelarts._obs.cloud.buckets import HuaweiBuckets

            address, sending = self._services.url("obs"), self.client.transport.sending
            self._buckets = HuaweiBuckets(
                address, self.client.endpoint.auth, home_directory(), sending, self.region_name,
                timeouts=lambda: self.client.sending,
            )  # fmt: skip
        return self._buckets

    def deadline(
        self, seconds: float | None = None, connect: float | None = None, read: float | None = None
    ) -> AbstractContextManager[None]:
        """Within a `with` block, give each call of this thread other time-outs than the session's.

        Of a transfer, they hold for each request: for a file, or a part of a large one, not for all of it.

        Args:
            seconds: for a whole call, repeats included.
            connect: seconds to reach the service.
            read: seconds to wait for its next bytes.

        Raises:
            ConfigError: one of them is no number of seconds.

        Example:
            >>> with session.deadline(30, connect=2):
            ...     jobs = estimator.get_job_list(session)
        """
        return self.client.deadline(seconds, connect, read)

    def close(self) -> None:
        """Close the connections; the session can be used again."""
        self.client.close()
        if self._buckets is not None:
            self._buckets.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- buckets, by the names of older versions

    def default_bucket(self) -> str:
        """Name of the bucket that gets what has no other place; it is made when missing."""
        return self.create_bucket(self._default_bucket_name)

    @property
    def _default_bucket_name(self) -> str:
        import hashlib

        digest = hashlib.md5(self.project_id.encode(), usedforsecurity=False).hexdigest()
        return f"modelarts-{self.region_name}-{digest[:8]}"

    def create_bucket(self, bucket: str) -> str:
        """Make a bucket unless it is there, and give back its name."""
        from modelarts._obs import legacy

        return legacy.create_bucket(self.obs, bucket)

    def create_directory(self, bucket: str, directory: str) -> None:
        """Make an empty folder, such as `/dir1/dir2/`, in a bucket."""
        from modelarts._obs import legacy

        legacy.create_directory(self.obs, bucket, directory)

    def upload_data(self, bucket_path: str, path: LocalPath | Sequence[LocalPath]) -> None:
        """Copy a file, several, or the content of a folder into a folder of a bucket (`/bucket/dir1/`)."""
        from modelarts._obs import legacy

        legacy.upload_data(self.obs, bucket_path, path)

    def download_data(self, bucket_path: str, path: LocalPath) -> None:
        """Copy an object to a file or folder, or the content of a folder of a bucket into a local one."""
        from modelarts._obs import legacy

        legacy.download_data(self.obs, bucket_path, path)

    @property
    def obs_client(self) -> Any:
        """The same as `get_obs_client()`."""
        return self.get_obs_client()

    def get_obs_client(self) -> Any:
        """An `ObsClient` of the package `esdk-obs-python`, with the keys of this session as they are now."""
        from modelarts._obs import legacy

        return legacy.client_of(self.obs)

    def __repr__(self) -> str:
        if not hasattr(self, "client"):  # as tracebacks show it when it could not be made
            return "Session(…)"
        return f"Session(host={self.host!r}, project_id={self.project_id!r}, region_name={self.region_name!r})"


def _settings(arguments: Mapping[str, Any], home: str | os.PathLike[str] | None = None) -> table.Settings:
    """The settings of a new session; from here on its errors speak their language."""
    settings = table.resolve(arguments, home_directory(home))
    if settings["lang"].source != "locale":
        set_language(settings["lang"].value)
    return settings


def _transport(settings: table.Settings, bypass_proxy: bool = False) -> Transport:
    from modelarts._transport.options import TransportOptions
    from modelarts._transport.transport import Transport  # loads the HTTP library

    return Transport(TransportOptions.of(settings), bypass_proxy)


def _cloud_auth(settings: table.Settings, services: Endpoints, transport: Transport) -> tuple[Auth, str]:
    """What proves who sends, and the project: as given, else the region's, for which IAM is asked."""
    from modelarts._auth.iam import Iam
    from modelarts._auth.password import PasswordAuth

    region, project_id = settings["region_name"].value, settings["project_id"].value
    iam = Iam(transport, services.url("iam") if login.by_password(settings) or not project_id else "")
    if login.by_password(settings):
        account, username, password = (settings[name].value for name in table.PASSWORD)
        auth = PasswordAuth(iam, account, username, password, region)
        return auth, project_id or auth.project_id or iam.project_of(auth, region)
    project_id = project_id or iam.project_of(login.keys_auth(settings, ""), region)
    return login.keys_auth(settings, project_id), project_id


def _refuse(**unsupported: str | None) -> None:
    for name, value in unsupported.items():
        if value is not None:
            raise ConfigError(
                f"{name} is not supported; log in with access_key and secret_key, or with username and password"
            )
