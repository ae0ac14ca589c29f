"""A session: credentials, the address that requests go to, and buckets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from modelarts._api.connection import Connection
from modelarts._api.endpoint import Endpoint
from modelarts._auth import cloud, local_mode, login
from modelarts._auth.attributes import LoginAttributes, LoginProperties
from modelarts._auth.signing import Keys, LocalAuth
from modelarts._obs.legacy_calls import LegacyCalls
from modelarts._settings import endpoints, table
from modelarts._settings.home import home_directory
from modelarts.errors import ConfigError, set_language

if TYPE_CHECKING:
    from modelarts._api.catalog import Catalog
    from modelarts._api.client import Client
    from modelarts._obs.buckets import Buckets
    from modelarts._obs.cloud.buckets import HuaweiBuckets
    from modelarts._transport.options import TransportOptions
    from modelarts._transport.transport import Transport

__all__ = ["Session"]

_THIS_MACHINE = "local"  # the flavor


class Session(LoginProperties, LegacyCalls):
    """A session on ModelArts in the cloud, or on the service of this machine (modelarts_04_0154).

    Args:
        access_key, secret_key: access key id and secret of a cloud account.
        project_id: project id of the region; by default IAM is queried for it at once.
        region_name: region such as `cn-north-4`.
        account, username, password: a login in place of keys; by default `username` is the account name, too.
        security_token: token of temporary access keys.
        profile: the one of the `profiles` in `config.json` to use; it takes precedence over the environment.
        config_file: a file to read in place of `~/.modelarts/config.json`; it takes precedence over the environment.
        strict: a failed call raises `ApiError` instead of returning a response.
        connect_timeout, read_timeout, total_timeout: seconds to connect to the service, to wait for its next bytes,
            and for a whole call, including retries.
        app_id, app_token, w3_account, w3_password: refused in the cloud; credentials of these kinds are not supported.

    Other settings come from the environment, then the credentials file named by `AWS_SHARED_CREDENTIALS_FILE`, then
    `~/.huaweicloud/credentials`, then the default profile of `~/.modelarts/config.json`, then that file itself. All
    credentials must come from one source. `modelarts whoami` shows what is used. With `MODELARTS_MODE=local` in the
    environment every session is one on the local service, whatever credentials the script gives.

    Attributes:
        auth: `access_key`, `secret_key`, `security_token`, `iam_server` and `obs_server`, as scripts read them.

    Raises:
        ConfigError: there are no credentials and no local mode, a setting is invalid, or the region is unknown.
        AuthError, ConnectionFailed: IAM refused to report the project, or did not reply.

    Example:
        >>> session = Session.local()
    """

    _endpoints: ClassVar[dict[str, dict[str, str]]] = {}
    _local: Session | None = None

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
        w3_password: str | None = None,
    ) -> None:
        others = {"app_id": app_id, "app_token": app_token, "w3_account": w3_account, "w3_password": w3_password}
        arguments = {
            "access_key": access_key, "secret_key": secret_key, "project_id": project_id,
            "region_name": region_name, "account": account, "username": username, "password": password,
            "security_token": security_token, "profile": profile, "config_file": config_file, "strict": strict,
            "connect_timeout": connect_timeout, "read_timeout": read_timeout, "total_timeout": total_timeout,
        }  # fmt: skip
        if local_mode.is_on():
            settings = _settings(local_mode.without_credentials({**arguments, **others}))
        else:
            login.refuse(**others)
            settings = _settings(arguments)
            login.check_arguments(settings)
        if login.means_cloud(settings):
            self._start_cloud(settings)
        else:
            self._start_local(None, settings, str(region_name or settings["region_name"].value))

    @classmethod
    def local(cls, home: str | os.PathLike[str] | None = None, strict: bool | None = None) -> Session:
        """Create a session on the service of this machine, which is started if it does not run.

        Args:
            home: folder of its state; each folder has a service, jobs and buckets of its own. By default
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
        """Set the endpoints of a region for sessions that are created later (modelarts_04_0300).

        With `MODELARTS_MODE=local` this call has no effect.

        Args:
            iam_endpoint, obs_endpoint, modelarts_endpoint: hosts (for https) or URLs.
            region_name: the region of these endpoints; sessions of other regions do not use them.

        Raises:
            ConfigError: an endpoint is neither a host nor a URL, or the region is empty.

        Example:
            >>> Session.set_endpoint("iam.example.com", "obs.example.com", "modelarts.example.com", "eu-de")
        """
        if local_mode.is_on():
            return
        if not isinstance(region_name, str) or not region_name.strip():
            raise ConfigError(f"region_name={region_name!r}: write the region that the endpoints belong to")
        region = table.checked("region_name", region_name)
        given = {"iam": iam_endpoint, "obs": obs_endpoint, "modelarts": modelarts_endpoint}
        cls._endpoints[region] = {
            service: table.checked(f"{service}_endpoint", text) if text else "" for service, text in given.items()
        }

    def _start_local(self, home: str | os.PathLike[str] | None, settings: table.Settings, region: str = "") -> None:
        """Start a session on the service of a home. Scripts read the region that they gave."""
        from modelarts._obs.local.buckets import LocalBuckets
        from modelarts._transport.options import TransportOptions

        folder = home_directory(home)

        def resolve_endpoint() -> Endpoint:
            from modelarts.local import daemon

            address = daemon.ensure(folder)
            auth = LocalAuth(address.token)
            return Endpoint(address.url, auth, address.project_id, resolve_endpoint, bypass_proxy=True, extended=True)

        self.region_name = region or "local"
        options = TransportOptions.of(settings)  # checked at once
        self._connection = Connection(resolve_endpoint(), lambda: _transport(options, bypass_proxy=True), settings)
        self._buckets: Buckets | None = LocalBuckets(folder / "local" / "buckets")
        self.auth = LoginAttributes(self._keys, self.host, self.host)

    def _start_cloud(self, settings: table.Settings) -> None:
        from modelarts._transport.options import TransportOptions

        login.check(settings)
        self.region_name = settings["region_name"].value
        self._services = endpoints.resolve(settings, self._endpoints)
        host, transport = self._services.url("modelarts"), _transport(TransportOptions.of(settings))
        transport.options.check_proxies(self._services.known)
        auth, project_id = cloud.log_in(settings, self._services, transport)
        self._buckets = None
        self._connection = Connection(Endpoint(host, auth, project_id), lambda: transport, settings)
        self._connection.connect()  # so that `close` closes the connections to IAM, too
        iam, obs = (str(self._services.found[service].value) for service in ("iam", "obs"))
        self.auth = LoginAttributes(self._keys, iam, obs)

    def _keys(self) -> Keys:
        return self.client.endpoint.auth.keys()

    @property
    def client(self) -> Client:
        """What sends requests."""
        return self._connection.connect()

    @property
    def catalog(self) -> Catalog:
        """Flavors, engines and algorithms."""
        return self._connection.catalog

    @property
    def host(self) -> str:
        """The URL that requests go to."""
        return self._connection.endpoint.url

    @property
    def project_id(self) -> str:
        """The project that jobs belong to."""
        return self._connection.endpoint.project_id

    @property
    def strict(self) -> bool:
        """Whether failed calls raise."""
        return self.client.strict

    @property
    def obs(self) -> Buckets:
        """Buckets: `upload_file`, `upload_dir`, `download_file`, `download_dir`, `list`, `delete` and more.

        Raises:
            ConfigError: the endpoint of OBS is not known.
        """
        if self._buckets is None:
            self._buckets = self._buckets_over_http(self._services.url("obs"), self.client.transport.options)
        return self._buckets

    def _buckets_over_http(self, address: str, options: TransportOptions) -> HuaweiBuckets:
        from modelarts._obs.cloud.buckets import HuaweiBuckets

        return HuaweiBuckets(
            address, self.client.endpoint.auth, home_directory(), options, self.region_name,
            timeouts=lambda: self.client.options,
        )  # fmt: skip

    def get_obs_client(self) -> Any:
        """Create an `ObsClient` of the package `esdk-obs-python` with the current keys of this session.

        Raises:
            ConfigError: the package is not installed.
        """
        from modelarts._obs.cloud.buckets import HuaweiBuckets

        buckets = self.obs
        if not isinstance(buckets, HuaweiBuckets):  # folders, which the service also serves over HTTP
            buckets = self._buckets_over_http(self.host, self.client.transport.options._replace(proxies={}))
        return buckets.client()

    def deadline(
        self, seconds: float | None = None, connect: float | None = None, read: float | None = None
    ) -> AbstractContextManager[None]:
        """Change the timeouts of all calls of this thread within a `with` block.

        In transfers of files they apply to each request: to a file, or a part of a large file.

        Args:
            seconds: for a whole call, including retries.
            connect: seconds to connect to the service.
            read: seconds to wait for its next bytes.

        Raises:
            ConfigError: one of them is not a number of seconds.

        Example:
            >>> with session.deadline(30, connect=2):
            ...     jobs = estimator.get_job_list(session)
        """
        return self.client.deadline(seconds, connect, read)

    def _for_flavor(self, code: str | None) -> Session:
        """Choose the session that jobs of a flavor belong to.

        Args:
            code: a flavor code. `local` is this machine (modelarts_04_0222): its jobs run on the local service, which
                is started if it does not run, whatever this session is.

        Returns:
            This session, or for `local` in the cloud one on the local service, always the same. A session of
            `--auth iam` is on this machine, too.

        Raises:
            ServiceError: the local service cannot be started.
        """
        if not (isinstance(code, str) and code == _THIS_MACHINE) or self._connection.offers(_THIS_MACHINE):
            return self
        if self._local is None:
            self._local = Session.local(strict=self.strict)
        return self._local

    def close(self) -> None:
        """Close all connections. The session can still be used: it opens new ones."""
        if self._local is not None:
            self._local.close()
        self._connection.close()
        if self._buckets is not None:
            self._buckets.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __copy__(self) -> Session:
        return self

    def __deepcopy__(self, _: object) -> Session:
        """Copies of estimators and jobs share their session, which has connections and locks."""
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a session has credentials and connections and cannot be pickled; pass job_id and version_id instead, and "
            "create the session where they are used: Estimator(Session(…), job_id=…, version_id=…)"
        )

    def __repr__(self) -> str:
        if "_connection" not in self.__dict__:  # as in tracebacks of a failed constructor
            return "Session(…)"
        return f"Session(host={self.host!r}, project_id={self.project_id!r}, region_name={self.region_name!r})"


def _settings(arguments: Mapping[str, Any], home: str | os.PathLike[str] | None = None) -> table.Settings:
    """The settings of a new session; from here on errors have their language."""
    settings = table.resolve(arguments, home_directory(home))
    if settings["lang"].source != "locale":
        set_language(settings["lang"].value)
    return settings


def _transport(options: TransportOptions, bypass_proxy: bool = False) -> Transport:
    from modelarts._transport.transport import Transport  # loads the HTTP library

    return Transport(options, bypass_proxy)
