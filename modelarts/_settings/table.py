"""The settings table. Each setting comes from the first source that has it, else from its default."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional

from modelarts._settings import additions, converters, keep
from modelarts._settings.converters import MASK, without_content, without_login
from modelarts._settings.home import home_directory
from modelarts._settings.sources import SettingSource, find_sources
from modelarts.errors import ConfigError, language, shortened

if TYPE_CHECKING:
    from pathlib import Path


def hidden(text: str) -> str:
    """The mask of a secret."""
    return MASK


class Setting(NamedTuple):
    """One row: its name, its environment variables in their order, how a value is converted, what it is for.

    `mask` hides secret parts of a value in messages and tables.
    """

    name: str
    env: tuple[str, ...]
    default: Any
    convert: Callable[[Any], Any]
    help: str
    mask: Callable[[str], str] = str

    @property
    def secret(self) -> bool:
        """Whether the whole value is secret."""
        return self.mask is hidden

    def shown(self, value: Any) -> str:
        """A value for tables, its secret parts masked."""
        if value in (None, ""):
            return ""
        return self.mask(value if isinstance(value, str) else json.dumps(value))

    def quoted(self, value: Any) -> str:
        """A wrong value for messages. It is masked before it gets its quotes: some passwords have quotes."""
        text = value if isinstance(value, str) else repr(value)
        masked = self.mask(text)
        return masked if self.secret else shortened(value if masked == text else masked)


SETTINGS = (
    Setting("profile", ("MODELARTS_PROFILE",), "", converters.name,
            "the profile to use, one of `profiles` in the file"),
    Setting("lang", ("MODELARTS_LANG",), "", converters.language,
            "language of messages, `en` or `zh`; by default that of the locale"),
    Setting("mode", ("MODELARTS_MODE",), "", converters.mode,
            "`local`: sessions are on the local service; in the environment also those of scripts that give "
            "credentials. `cloud` is the same as not set"),
    Setting("access_key", ("HUAWEICLOUD_SDK_AK",), "", converters.key, "access key id"),
    Setting("secret_key", ("HUAWEICLOUD_SDK_SK",), "", converters.key, "secret access key", hidden),
    Setting("security_token", ("HUAWEICLOUD_SDK_SECURITY_TOKEN",), "", converters.key,
            "security token of temporary access keys", hidden),
    Setting("account", ("MODELARTS_ACCOUNT",), "", converters.name,
            "account name for a login with a password; by default `username` is the account name"),
    Setting("username", ("MODELARTS_USERNAME",), "", converters.name, "user name for a login with a password"),
    Setting("password", ("MODELARTS_PASSWORD", "HUAWEICLOUD_SDK_PASSWORD"), "", converters.password,
            "password", hidden),
    Setting("project_id", ("HUAWEICLOUD_SDK_PROJECT_ID", "PROJECT_ID"), "", converters.key,
            "project id; by default IAM is queried for the project of the region"),
    Setting("region_name", ("HUAWEICLOUD_SDK_REGION", "REGION_NAME", "S3_REGION"), "", converters.key,
            "region, such as `cn-north-4`"),
    Setting("modelarts_endpoint", ("MODELARTS_ENDPOINT",), "", converters.endpoint,
            "host or URL of ModelArts; by default that of the region", without_login),
    Setting("iam_endpoint", ("MODELARTS_IAM_ENDPOINT", "HUAWEICLOUD_SDK_IAM_ENDPOINT"), "", converters.endpoint,
            "host or URL of IAM (logins and projects); by default that of the region", without_login),
    Setting("obs_endpoint", ("MODELARTS_OBS_ENDPOINT",), "", converters.endpoint,
            "host or URL of OBS (buckets); by default that of the region", without_login),
    Setting("strict", ("MODELARTS_STRICT",), False, converters.flag,
            "a failed call raises instead of returning a response"),
    Setting("connect_timeout", ("MODELARTS_CONNECT_TIMEOUT",), 10.0, converters.seconds,
            "seconds to connect to the service"),
    Setting("read_timeout", ("MODELARTS_READ_TIMEOUT",), 60.0, converters.seconds,
            "seconds to wait for the next bytes"),
    Setting("total_timeout", ("MODELARTS_TOTAL_TIMEOUT",), 300.0, converters.seconds,
            "seconds for a whole call, including retries"),
    Setting("proxy", ("MODELARTS_PROXY",), "", converters.proxy,
            "URL of the proxy to the cloud, or `none`; by default `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are used",
            without_login),
    Setting("verify", ("MODELARTS_VERIFY",), True, converters.flag, "whether server certificates are verified"),
    Setting("ca_bundle", ("MODELARTS_CA_BUNDLE",), "", converters.file,
            "file or folder with the certificate authorities to trust; by default `REQUESTS_CA_BUNDLE`, then the "
            "default authorities", without_content),
    Setting("client_cert", ("MODELARTS_CLIENT_CERT",), None, converters.certificate,
            "client certificate: one file with its key, or certificate and key separated by a comma", without_content),
    Setting("catalog_lifetime", ("MODELARTS_CATALOG_LIFETIME",), 600.0, converters.seconds,
            "seconds for which lists of flavors, engines and algorithms are cached"),
    Setting("code_limit", ("MODELARTS_CODE_LIMIT",), 200, converters.count,
            "maximum size of a local `code_dir` in MB; a larger one usually contains data by mistake"),
    Setting("data_limit", ("MODELARTS_DATA_LIMIT",), 5000, converters.count, "maximum size of local `inputs` in MB"),
    Setting("local_port", ("MODELARTS_LOCAL_PORT",), 0, converters.port, "port of the local service; 0: any free port"),
    Setting("local_idle_timeout", ("MODELARTS_LOCAL_IDLE_TIMEOUT",), 3600.0, converters.seconds,
            "seconds without a call or a job after which the local service exits"),
    Setting("local_capacity", ("MODELARTS_LOCAL_CAPACITY",), None, converters.count,
            "number of workers that the local service runs at the same time; by default the number of CPU cores"),
    Setting("local_grace", ("MODELARTS_LOCAL_GRACE",), 5.0, converters.seconds,
            "seconds from SIGTERM to SIGKILL when a job is stopped, or when a node ends because another one failed"),
    Setting("local_python", ("MODELARTS_LOCAL_PYTHON",), {}, converters.texts_by_name,
            "interpreters of engines, by engine name or version, as a JSON object; other engines use the interpreter "
            "of the service"),
    Setting("local_engines", ("MODELARTS_LOCAL_ENGINES",), {}, additions.engines,
            "further engines of the local service, as a JSON object of versions by engine"),
    Setting("local_flavors", ("MODELARTS_LOCAL_FLAVORS",), {}, additions.flavors,
            "further flavors of the local service: codes with commas between them, or a JSON object"),
    Setting("local_environment", ("MODELARTS_LOCAL_ENVIRONMENT",), [], converters.variable_names,
            "variables of the process that starts the local service that jobs get, too, such as "
            "`HTTPS_PROXY, WANDB_*`"),
    Setting("local_keep", ("MODELARTS_LOCAL_KEEP",), "failed,5", keep.checked,
            "working directories that stay after a job: `failed`, `all`, `none`, a number of versions, a duration such "
            "as `7d`, or several of these"),
    Setting("local_isolation", ("MODELARTS_LOCAL_ISOLATION",), "auto", converters.isolation,
            "whether each node of a job has `/cache`, `/tmp`, `/home/work` and processes of its own: `auto` as far as "
            "this machine allows it, `require` or the job fails, `off`"),
    Setting("local_conda", ("MODELARTS_LOCAL_CONDA",), "", converters.name,
            "the conda, mamba or micromamba that creates environments of jobs; by default the one that is on the path; "
            "`none`: virtual environments only"),
    Setting("local_images", ("MODELARTS_LOCAL_IMAGES",), "host", converters.images,
            "where the commands of custom images run if no container engine answers: `host`, on this machine itself; "
            "`refuse`, nowhere"),
    Setting("local_tensorboards", ("MODELARTS_LOCAL_TENSORBOARDS",), 8, converters.count,
            "number of TensorBoards that the local service runs at the same time; for another one, the oldest that "
            "nobody uses is stopped"),
    Setting("local_cards", ("MODELARTS_LOCAL_CARDS",), 1, converters.count,
            "cards of each node of Ascend engines: the script runs once for each, with its own `DEVICE_ID` and "
            "`RANK_ID`"),
)  # fmt: skip

BY_NAME = {setting.name: setting for setting in SETTINGS}
_VARIABLES = {setting.name: setting.env for setting in SETTINGS}

# Settings that are credentials together: they come from one source, never from several.
KEYS = ("access_key", "secret_key", "security_token")
PASSWORD = ("account", "username", "password")


class Value(NamedTuple):
    """A setting's value, and where exactly it was found."""

    value: Any
    source: str
    origin: Optional[SettingSource] = None

    def __repr__(self) -> str:  # without the value: some are secret
        return f"Value(source={self.source!r})"


class Settings(dict[str, Value]):
    """All settings by name, with the sources in their order and the one that has the credentials."""

    def __init__(
        self, values: Mapping[str, Value], sources: Sequence[SettingSource], login: SettingSource | None
    ) -> None:
        super().__init__(values)
        self.sources = tuple(sources)
        self.login = login


def resolve(arguments: Mapping[str, Any] | None = None, home: Path | None = None) -> Settings:
    """Every setting with its source. Raises `ConfigError` for a value that breaks the rule of its setting."""
    sources = find_sources(_VARIABLES, arguments or {}, home or home_directory())
    login = next((source for source in sources if source.has_login), None)
    values = {setting.name: _resolved(setting, _allowed(setting.name, sources, login)) for setting in SETTINGS}
    return Settings(values, sources, login)


def value_of(name: str, home: Path | None = None) -> Any:
    """The value of one setting, from the environment, a file or its default."""
    return _resolved(BY_NAME[name], find_sources(_VARIABLES, {}, home or home_directory())).value


def checked(name: str, value: Any, source: str = "argument") -> Any:
    """The converted value of a setting that was given elsewhere. Raises `ConfigError` if it breaks the rule."""
    return _converted(BY_NAME[name], value, source, None).value


def variables_of(name: str) -> str:
    """The environment variables of a setting, for messages."""
    return " or ".join(BY_NAME[name].env)


def _allowed(name: str, sources: Sequence[SettingSource], login: SettingSource | None) -> Sequence[SettingSource]:
    """The sources that a setting may come from: credentials come from one, and what is bound to others is skipped."""
    if login is None:
        return sources
    if name in KEYS + PASSWORD:
        return [login]
    return [one for one in sources if name not in one.bound or not one.has_login or one.user == login.user]


def _resolved(setting: Setting, sources: Iterable[SettingSource]) -> Value:
    for source in sources:
        if setting.name in source.values:
            return _converted(setting, *source.values[setting.name], source)
    if setting.name == "lang":
        return Value(language(), "locale")
    return Value(setting.default, "default")


def _converted(setting: Setting, value: Any, source: str, origin: SettingSource | None) -> Value:
    try:
        return Value(setting.convert(value), source, origin)
    except ValueError as error:
        raise ConfigError(f"{setting.name}={setting.quoted(value)} ({source}): {error}") from None
