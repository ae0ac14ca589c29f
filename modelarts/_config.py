"""One settings table; each setting comes from the first place that has it, else from its default."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, Optional
from urllib.parse import urlsplit

import attrs

from modelarts._places import Place, places, whole
from modelarts.errors import ConfigError, language

MASK = "****"
NO_PROXY = "none"
YEAR = 366 * 86400


def _text(value: Any) -> str:
    return str(value)


def _sent(value: Any) -> str:
    """What goes into a header; a line break at its end is the file's, not its own."""
    text = str(value).strip()
    if not (text.isascii() and text.isprintable()):
        raise ValueError("write it without line breaks and characters that are not ASCII")
    return text


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    try:
        return known[str(value).strip().lower()]
    except KeyError:
        raise ValueError("write 1 or 0, true or false") from None


def _seconds(value: Any) -> float:
    """Up to a year: more is a mistake, and some of what counts seconds takes no more than 2^31 of them."""
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if isinstance(value, bool) or not 0 < seconds <= YEAR:
        raise ValueError(f"write a number of seconds above 0 and up to {YEAR}")
    return seconds


def _count(value: Any) -> int:
    number = int(value)
    if number < 1:
        raise ValueError("write a whole number from 1")
    return number


def _port(value: Any) -> int:
    port = int(value)
    if not 0 <= port <= 65535:
        raise ValueError("write a port from 1 to 65535, or 0 for any free one")
    return port


def _mode(value: Any) -> str:
    mode = str(value).strip().lower()
    if mode not in ("", "local", "cloud"):
        raise ValueError("write local or cloud")
    return mode


def _language(value: Any) -> str:
    language = re.split("[-_.]", str(value).strip().lower())[0]  # of zh_CN.UTF-8, too
    if language not in ("en", "zh"):
        raise ValueError("write en or zh")
    return language


def endpoint(value: Any) -> str:
    """An address as a URL; a bare host means https."""
    url = _url(value, "https")
    if "@" in urlsplit(url).netloc:
        raise ValueError("write it without user name and password; a session has its own login")
    return url


def _url(value: Any, scheme: str) -> str:
    text = str(value).strip()
    url = (text if "://" in text else f"{scheme}://{text}").rstrip("/")
    try:
        parts = urlsplit(url)
        good = bool(parts.hostname) and parts.port != 0 and parts.scheme in ("http", "https")
    except ValueError:
        good = False
    if not good or re.search(r"[\s?#]", url):
        raise ValueError("write a host such as modelarts.example.com, or its URL")
    return parts.scheme + url[len(parts.scheme) :]


def _proxy(value: Any) -> str:
    if str(value).strip().lower() == NO_PROXY:
        return NO_PROXY
    try:
        return _url(value, "http")
    except ValueError:
        raise ValueError("write the URL of an HTTP proxy, such as http://proxy.example.com:3128, or none") from None


def _existing(value: Any) -> str:
    path = whole(str(value).strip())
    if not path.exists():
        raise ValueError(f"there is no {path}")
    return str(path)


def _certificate(value: Any) -> str | tuple[str, str]:
    parts = value.split(",") if isinstance(value, str) else list(value)
    if len(parts) not in (1, 2):
        raise ValueError("write one file that holds certificate and key, or two with a comma between them")
    paths = [_existing(part) for part in parts]
    return paths[0] if len(paths) == 1 else (paths[0], paths[1])


def _table(value: Any) -> dict[str, str]:
    table = json.loads(value) if isinstance(value, str) else value
    if not isinstance(table, Mapping):
        raise ValueError('write a JSON object such as {"TensorFlow": "/opt/tf/bin/python"}')
    return {str(name): str(item) for name, item in table.items()}


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

    def masked(self, text: str) -> str:
        if self.secret:
            return MASK
        # Of a URL all before the last @, whether it is one or not: what is wrong may be the password.
        return re.sub(r"(\w+://)?[^'\"]*@", rf"\1{MASK}@", text) if self.convert in (endpoint, _proxy) else text


SETTINGS = (
    Setting("profile", ("MODELARTS_PROFILE",), "", _text, "which of the `profiles` in the file is used"),
    Setting("lang", ("MODELARTS_LANG",), "", _language,
            "language of what is shown, `en` or `zh`; without it, that of the locale"),
    Setting("mode", ("MODELARTS_MODE",), "", _mode,
            "`local` makes an argument-less `Session()` one on the local service"),
    Setting("access_key", ("HUAWEICLOUD_SDK_AK",), "", _sent, "access key id of a cloud session"),
    Setting("secret_key", ("HUAWEICLOUD_SDK_SK",), "", _sent, "secret access key of a cloud session", True),
    Setting("security_token", ("HUAWEICLOUD_SDK_SECURITY_TOKEN",), "", _sent,
            "security token of temporary access keys", True),
    Setting("account", ("MODELARTS_ACCOUNT",), "", _text,
            "account name of a session by password; without it, `username` is that of the account"),
    Setting("username", ("MODELARTS_USERNAME",), "", _text, "user name of a session by password"),
    Setting("password", ("MODELARTS_PASSWORD", "HUAWEICLOUD_SDK_PASSWORD"), "", _text,
            "password of a session by password", True),
    Setting("project_id", ("HUAWEICLOUD_SDK_PROJECT_ID", "PROJECT_ID"), "", _sent,
            "project id of a cloud session; without it, IAM is asked for the project of the region"),
    Setting("region_name", ("HUAWEICLOUD_SDK_REGION", "REGION_NAME", "S3_REGION"), "", _sent,
            "region of a cloud session, such as cn-north-4"),
    Setting("modelarts_endpoint", ("MODELARTS_ENDPOINT",), "", endpoint,
            "host or URL of ModelArts; without it, that of the region"),
    Setting("iam_endpoint", ("MODELARTS_IAM_ENDPOINT", "HUAWEICLOUD_SDK_IAM_ENDPOINT"), "", endpoint,
            "host or URL of IAM, which logs in and knows projects; without it, that of the region"),
    Setting("obs_endpoint", ("MODELARTS_OBS_ENDPOINT",), "", endpoint,
            "host or URL of OBS, which holds the buckets; without it, that of the region"),
    Setting("strict", ("MODELARTS_STRICT",), False, _flag, "a refused call raises instead of returning a response"),
    Setting("connect_timeout", ("MODELARTS_CONNECT_TIMEOUT",), 10.0, _seconds, "seconds to reach the service"),
    Setting("read_timeout", ("MODELARTS_READ_TIMEOUT",), 60.0, _seconds, "seconds to wait for the next bytes"),
    Setting("total_timeout", ("MODELARTS_TOTAL_TIMEOUT",), 300.0, _seconds,
            "seconds for a whole call, repeats included"),
    Setting("proxy", ("MODELARTS_PROXY",), "", _proxy,
            "URL of the proxy to the cloud, or `none`; without it, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` count"),
    Setting("verify", ("MODELARTS_VERIFY",), True, _flag, "whether the certificates of servers are checked"),
    Setting("ca_bundle", ("MODELARTS_CA_BUNDLE",), "", _existing,
            "file or folder of the certificate authorities to trust; without it, `REQUESTS_CA_BUNDLE`, else the usual"),
    Setting("client_cert", ("MODELARTS_CLIENT_CERT",), None, _certificate,
            "certificate to show to servers: one file with its key, or certificate and key with a comma between"),
    Setting("catalog_lifetime", ("MODELARTS_CATALOG_LIFETIME",), 600.0, _seconds,
            "seconds for which looked-up flavors, engines and algorithms are kept"),
    Setting("code_limit", ("MODELARTS_CODE_LIMIT",), 200, _count,
            "MB that a local `code_dir` may have; more is most often data that got there by mistake"),
    Setting("data_limit", ("MODELARTS_DATA_LIMIT",), 5000, _count, "MB that local `inputs` may have"),
    Setting("local_port", ("MODELARTS_LOCAL_PORT",), 0, _port, "port of the local service; 0 takes any free one"),
    Setting("local_idle_timeout", ("MODELARTS_LOCAL_IDLE_TIMEOUT",), 3600.0, _seconds,
            "seconds without a call or a job after which the local service ends itself"),
    Setting("local_capacity", ("MODELARTS_LOCAL_CAPACITY",), None, _count,
            "versions that the local service runs at once; by default one for each CPU core"),
    Setting("local_python", ("MODELARTS_LOCAL_PYTHON",), {}, _table,
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
    place: Optional[Place] = attrs.field(default=None, repr=False, eq=False)


class Settings(dict[str, Value]):
    """All settings by name, with the places that were looked at and the one that gives the login."""

    def __init__(self, values: Mapping[str, Value], places: Sequence[Place], login: Place | None) -> None:
        super().__init__(values)
        self.places = tuple(places)
        self.login = login


def home_directory(home: str | os.PathLike[str] | None = None) -> Path:
    """Where all state lives: the argument, else `MODELARTS_HOME`, else `~/.modelarts`.

    Raises:
        ConfigError: it is in the home of a user whom this machine does not know.
    """
    found = os.path.expanduser(home or os.environ.get("MODELARTS_HOME") or "~/.modelarts")  # noqa: PTH111
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


def _allowed(name: str, found: Sequence[Place], login: Place | None) -> Sequence[Place]:
    """The places that a setting may come from: a login is never mixed, and a project belongs to its login."""
    if login is None:
        return found
    if name in KEYS + PASSWORD:
        return [login]
    if name == "project_id":
        return [place for place in found if not place.gives_login or place.who == login.who]
    return found


def _resolved(setting: Setting, found: Iterable[Place]) -> Value:
    for place in found:
        if setting.name in place.held:
            return _converted(setting, *place.held[setting.name], place)
    if setting.name == "lang":
        return Value(language(), "locale")
    return Value(setting.default, "default")


def _converted(setting: Setting, value: Any, source: str, place: Place | None) -> Value:
    try:
        return Value(setting.convert(value), source, place)
    except (OverflowError, TypeError, ValueError) as error:
        raise ConfigError(f"{setting.name}={setting.masked(repr(value))} ({source}): {error}") from None
