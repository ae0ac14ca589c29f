"""One settings table; each setting comes from the first place that has it, else from its default."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, Optional

import attrs

from modelarts._settings import converters
from modelarts._settings.converters import MASK
from modelarts._settings.sources import SettingSource, places, variable
from modelarts.errors import ConfigError, language, shortened

# Parts of these values are kept to ourselves wherever they are shown.
_MASKS: Mapping[Callable[[Any], Any], Callable[[str], str]] = {
    converters.endpoint: converters.without_login,
    converters.proxy: converters.without_login,
    converters.file: converters.without_content,
    converters.certificate: converters.without_content,
}


@attrs.frozen
class Setting:
    """One row: its name, its environment variables in their order, how a value is read, what it is for."""

    name: str
    env: tuple[str, ...]
    default: Any
    convert: Callable[[Any], Any]
    help: str
    secret: bool = False

    def shown(self, value: Any) -> str:
        """A value as people may see it: secrets are masked, also those within URLs."""
        if value in (None, ""):
            return ""
        return self.masked(value if isinstance(value, str) else json.dumps(value))

    def quoted(self, value: Any) -> str:
        """A wrong value as a message names it. It is masked before it gets its quotes: some passwords have quotes."""
        text = value if isinstance(value, str) else repr(value)
        seen = self.masked(text)
        return seen if self.secret else shortened(value if seen == text else seen)

    def masked(self, text: str) -> str:
        return MASK if self.secret else _MASKS.get(self.convert, str)(text)


SETTINGS = (
    Setting("profile", ("MODELARTS_PROFILE",), "", converters.name, "which of the `profiles` in the file is used"),
    Setting("lang", ("MODELARTS_LANG",), "", converters.language,
            "language of what is shown, `en` or `zh`; without it, that of the locale"),
    Setting("mode", ("MODELARTS_MODE",), "", converters.mode,
            "`local` makes an argument-less `Session()` one on the local service"),
    Setting("access_key", ("HUAWEICLOUD_SDK_AK",), "", converters.sent, "access key id of a cloud session"),
    Setting("secret_key", ("HUAWEICLOUD_SDK_SK",), "", converters.sent, "secret access key of a cloud session", True),
    Setting("security_token", ("HUAWEICLOUD_SDK_SECURITY_TOKEN",), "", converters.sent,
            "security token of temporary access keys", True),
    Setting("account", ("MODELARTS_ACCOUNT",), "", converters.name,
            "account name of a session by password; without it, `username` is that of the account"),
    Setting("username", ("MODELARTS_USERNAME",), "", converters.name, "user name of a session by password"),
    Setting("password", ("MODELARTS_PASSWORD", "HUAWEICLOUD_SDK_PASSWORD"), "", converters.password,
            "password of a session by password", True),
    Setting("project_id", ("HUAWEICLOUD_SDK_PROJECT_ID", "PROJECT_ID"), "", converters.sent,
            "project id of a cloud session; without it, IAM is asked for the project of the region"),
    Setting("region_name", ("HUAWEICLOUD_SDK_REGION", "REGION_NAME", "S3_REGION"), "", converters.sent,
            "region of a cloud session, such as cn-north-4"),
    Setting("modelarts_endpoint", ("MODELARTS_ENDPOINT",), "", converters.endpoint,
            "host or URL of ModelArts; without it, that of the region"),
    Setting("iam_endpoint", ("MODELARTS_IAM_ENDPOINT", "HUAWEICLOUD_SDK_IAM_ENDPOINT"), "", converters.endpoint,
            "host or URL of IAM, which logs in and knows projects; without it, that of the region"),
    Setting("obs_endpoint", ("MODELARTS_OBS_ENDPOINT",), "", converters.endpoint,
            "host or URL of OBS, which holds the buckets; without it, that of the region"),
    Setting("strict", ("MODELARTS_STRICT",), False, converters.flag,
            "a refused call raises instead of returning a response"),
    Setting("connect_timeout", ("MODELARTS_CONNECT_TIMEOUT",), 10.0, converters.seconds,
            "seconds to reach the service"),
    Setting("read_timeout", ("MODELARTS_READ_TIMEOUT",), 60.0, converters.seconds,
            "seconds to wait for the next bytes"),
    Setting("total_timeout", ("MODELARTS_TOTAL_TIMEOUT",), 300.0, converters.seconds,
            "seconds for a whole call, repeats included"),
    Setting("proxy", ("MODELARTS_PROXY",), "", converters.proxy,
            "URL of the proxy to the cloud, or `none`; without it, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` count"),
    Setting("verify", ("MODELARTS_VERIFY",), True, converters.flag, "whether the certificates of servers are checked"),
    Setting("ca_bundle", ("MODELARTS_CA_BUNDLE",), "", converters.file,
            "file or folder of the certificate authorities to trust; without it, `REQUESTS_CA_BUNDLE`, else the usual"),
    Setting("client_cert", ("MODELARTS_CLIENT_CERT",), None, converters.certificate,
            "certificate to show to servers: one file with its key, or certificate and key with a comma between"),
    Setting("catalog_lifetime", ("MODELARTS_CATALOG_LIFETIME",), 600.0, converters.seconds,
            "seconds for which looked-up flavors, engines and algorithms are kept"),
    Setting("code_limit", ("MODELARTS_CODE_LIMIT",), 200, converters.count,
            "MB that a local `code_dir` may have; more is most often data that got there by mistake"),
    Setting("data_limit", ("MODELARTS_DATA_LIMIT",), 5000, converters.count, "MB that local `inputs` may have"),
    Setting("local_port", ("MODELARTS_LOCAL_PORT",), 0, converters.port,
            "port of the local service; 0 takes any free one"),
    Setting("local_idle_timeout", ("MODELARTS_LOCAL_IDLE_TIMEOUT",), 3600.0, converters.seconds,
            "seconds without a call or a job after which the local service ends itself"),
    Setting("local_capacity", ("MODELARTS_LOCAL_CAPACITY",), None, converters.count,
            "versions that the local service runs at once; by default one for each CPU core"),
    Setting("local_python", ("MODELARTS_LOCAL_PYTHON",), {}, converters.table,
            "interpreters of engines, by engine name or version, as a JSON object; the rest run on the service's own"),
)  # fmt: skip

_BY_NAME = {setting.name: setting for setting in SETTINGS}


# Settings that prove together who you are: they come from one place, or a stranger's secret would be tried.
KEYS = ("access_key", "secret_key", "security_token")
PASSWORD = ("account", "username", "password")


@attrs.frozen
class Value:
    """A resolved setting and where it came from."""

    value: Any = attrs.field(repr=False)
    source: str
    place: Optional[SettingSource] = attrs.field(default=None, repr=False, eq=False)


class Settings(dict[str, Value]):
    """All settings by name, with the places that were looked at and the one that gives the login."""

    def __init__(
        self, values: Mapping[str, Value], places: Sequence[SettingSource], login: SettingSource | None
    ) -> None:
        super().__init__(values)
        self.places = tuple(places)
        self.login = login


def home_directory(home: str | os.PathLike[str] | None = None) -> Path:
    """Where all state lives: the argument, else `MODELARTS_HOME`, else `~/.modelarts`.

    Raises:
        ConfigError: it is in the home of a user whom this machine does not know.
    """
    try:
        found = os.path.expanduser(home or variable("MODELARTS_HOME") or "~/.modelarts")  # noqa: PTH111
    except TypeError:
        raise ConfigError(f"home={shortened(home)}: write the path of a folder for settings and state") from None
    if found.startswith("~"):
        raise ConfigError(
            f"{found!r} is no folder: this machine knows no such home; set HOME, or give the whole path of a folder "
            "for settings and state in MODELARTS_HOME"
        )
    return Path(found).absolute()


def resolve(arguments: Mapping[str, Any] | None = None, home: Path | None = None) -> Settings:
    """Every setting with its source. Raises `ConfigError` for a value that breaks its setting's rule."""
    found = places(SETTINGS, arguments or {}, home or home_directory())
    login = next((place for place in found if place.gives_login), None)
    values = {setting.name: _resolved(setting, _allowed(setting.name, found, login)) for setting in SETTINGS}
    return Settings(values, found, login)


def value_of(name: str, home: Path | None = None) -> Any:
    """One setting, from environment, file or default."""
    return _resolved(_BY_NAME[name], places(SETTINGS, {}, home or home_directory())).value


def checked(name: str, value: Any, source: str = "argument") -> Any:
    """The value of a setting that somebody gave later. Raises `ConfigError` when it breaks the rule."""
    return _converted(_BY_NAME[name], value, source, None).value


def _allowed(name: str, found: Sequence[SettingSource], login: SettingSource | None) -> Sequence[SettingSource]:
    """The places that a setting may come from: a login is never mixed, and what is bound to one goes with no other."""
    if login is None:
        return found
    if name in KEYS + PASSWORD:
        return [login]
    return [place for place in found if name not in place.bound or not place.gives_login or place.who == login.who]


def _resolved(setting: Setting, found: Iterable[SettingSource]) -> Value:
    for place in found:
        if setting.name in place.held:
            return _converted(setting, *place.held[setting.name], place)
    if setting.name == "lang":
        return Value(language(), "locale")
    return Value(setting.default, "default")


def _converted(setting: Setting, value: Any, source: str, place: SettingSource | None) -> Value:
    try:
        return Value(setting.convert(value), source, place)
    except ValueError as error:
        raise ConfigError(f"{setting.name}={setting.quoted(value)} ({source}): {error}") from None
