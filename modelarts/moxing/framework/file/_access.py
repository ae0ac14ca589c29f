"""Which buckets a call uses: those of the local service, of keys that were given, or of a session."""

import importlib
import logging
import os
import sys

from ._bucket import BucketPath
from ._local import LocalPath
from ._location import Location
from ._urls import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional

    from ._urls import Url

NOT_SET = "server is not set correctly"
_IGNORED = ("negotiation", "obs_client_log", "timeout_config")
_KEYS = (("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"), ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))

_given = {}  # type: dict[str, Any]
_opened = (None, None)  # type: tuple[Any, Any]


def set_auth(
    ak: "Optional[str]" = None,
    sk: "Optional[str]" = None,
    server: "Optional[str]" = None,
    port: "Optional[int]" = None,
    is_secure: "Optional[bool]" = None,
    ssl_verify: "Optional[bool]" = None,
    long_conn_mode: "Optional[bool]" = None,
    path_style: "Optional[bool]" = None,
    retry: "Optional[int]" = None,
    retry_wait: "Optional[float]" = None,
    client_timeout: "Optional[float]" = None,
    list_max_keys: "Optional[int]" = None,
    session: "Any" = None,
    **others: "Any",
) -> None:
    """Set how OBS is accessed; what is `None` stays as it is. On the local service all of it is accepted and unused.

    Args:
        ak, sk: access key id and secret access key.
        server: host of OBS, such as `obs.cn-north-4.myhuaweicloud.com`, or its URL.
        port: its port, unless `server` has one.
        is_secure: HTTPS (the default) or HTTP, unless `server` has a scheme.
        ssl_verify: whether certificates are checked.
        client_timeout: seconds to wait for the next bytes.
        session: a `Session` whose buckets are used; an addition of this package.
        long_conn_mode, path_style, retry, retry_wait, list_max_keys, timeout_config, negotiation, obs_client_log:
            accepted and ignored: requests are repeated as `session.obs` does.
        others: ignored with a warning.
    """
    unknown = sorted(set(others) - set(_IGNORED))
    if unknown:
        logging.getLogger().warning("set_auth ignores %s: MoXing has no such arguments", ", ".join(unknown))
    values = {
        "ak": ak, "sk": sk, "server": server, "port": port, "is_secure": is_secure, "ssl_verify": ssl_verify,
        "long_conn_mode": long_conn_mode, "path_style": path_style, "retry": retry, "retry_wait": retry_wait,
        "client_timeout": client_timeout, "list_max_keys": list_max_keys, "session": session,
    }  # fmt: skip
    _given.update({name: value for name, value in values.items() if value is not None})


def locate(path: "Any") -> Location:
    """What a local path or a URL names."""
    url = parse(path)
    if url is None:
        return LocalPath(os.fsdecode(path))
    return _buckets()(url)


def _buckets() -> "Callable[[Url], Location]":
    """The storage of now: scripts set variables and keys at any time."""
    global _opened
    session = _given.get("session")
    home = _local_home() if session is None else ""
    if home:
        root = os.path.join(home, "local", "buckets")
        return lambda url: BucketPath(root, url)
    key = (session, *_credentials())
    if _opened[0] != key:
        _opened = (key, _session_buckets(session) if session else _own_buckets(*key[1:]))
    opened: Callable[[Url], Location] = _opened[1]
    return opened


def _local_home() -> str:
    """The `MODELARTS_HOME` of the local service, as `Session()` finds it in a job; empty where there is none.

    A process that a script starts without the variables of the job finds it in the Python environment of the job.
    """
    mode = os.environ.get("MODELARTS_MODE")
    if mode is not None:
        home = os.environ.get("MODELARTS_HOME", "").strip() or "~/.modelarts"
        return os.path.abspath(os.path.expanduser(home)) if mode.strip().lower() == "local" else ""
    try:
        with open(os.path.join(sys.prefix, "modelarts-home"), "rb") as file:
            return os.fsdecode(file.read())
    except OSError:
        return ""


def _credentials() -> "tuple[str, str, str, bool, Optional[float]]":
    """The address of OBS and a key pair, as given, else as the environment has them, or empty texts; then the options.

    These are whether certificates are checked, and the seconds to wait for bytes.
    """
    server = str(_given.get("server") or os.environ.get("S3_ENDPOINT") or "").strip().rstrip("/")
    pairs = [(os.environ.get(one, ""), os.environ.get(other, "")) for one, other in _KEYS]
    ak, sk = next((pair for pair in pairs if all(pair)), ("", ""))
    verify = _given.get("ssl_verify")
    if verify is None:
        verify = os.environ.get("S3_VERIFY_SSL", "1").strip() != "0"
    return _address(server), _given.get("ak") or ak, _given.get("sk") or sk, bool(verify), _given.get("client_timeout")


def _address(server: str) -> str:
    if not server:
        return ""
    scheme, has_scheme, host = server.rpartition("://")
    if not has_scheme:
        is_secure = _given.get("is_secure")
        if is_secure is None:
            is_secure = os.environ.get("S3_USE_HTTPS", "1").strip() != "0"
        scheme = "https" if is_secure else "http"
    port = _given.get("port")
    return f"{scheme}://{host}" + (f":{port}" if port and ":" not in host else "")


def _own_buckets(
    address: str, ak: str, sk: str, verify: bool, timeout: "Optional[float]"
) -> "Callable[[Url], Location]":
    if not address or not (ak and sk):
        return _session_buckets(None)
    try:
        _require_python()
        signing = importlib.import_module("modelarts._auth.signing")
        buckets = importlib.import_module("modelarts._obs.cloud.buckets")
        options = importlib.import_module("modelarts._transport.options")
        home = importlib.import_module("modelarts._settings.home")
        table = importlib.import_module("modelarts._settings.table")
    except ImportError as error:
        raise RuntimeError(f"moxing needs the package `modelarts` for buckets of the cloud: {error}") from error
    transport = options.TransportOptions.of(table.resolve())  # certificates and proxies, as sessions have them
    if timeout:
        transport = transport._replace(read_timeout=float(timeout))
    if not verify:
        transport = transport._replace(verify=False)
    auth = signing.AkSkAuth(ak, sk, "", os.environ.get("AWS_SESSION_TOKEN", ""))
    return _cloud(buckets.HuaweiBuckets(address, auth, home.home_directory(), transport))


def _require_python() -> None:
    """Raise `ImportError` where Python is too old for the SDK."""
    if sys.version_info < (3, 9):  # noqa: UP036  jobs may run on older ones
        raise ImportError("it needs Python 3.9 or newer")


def _session_buckets(session: "Any") -> "Callable[[Url], Location]":
    """The buckets of a session, by default those of `Session()`."""
    if session is None:
        try:
            _require_python()
            errors = importlib.import_module("modelarts.errors")
            sessions = importlib.import_module("modelarts.session")
        except ImportError:
            raise RuntimeError(NOT_SET) from None
        try:
            session = sessions.Session()
        except errors.ConfigError as error:
            raise RuntimeError(NOT_SET) from error
    root = getattr(session.obs, "root", None)
    if root is not None:
        folder = str(root)
        return lambda url: BucketPath(folder, url)
    return _cloud(session.obs)


def _cloud(buckets: "Any") -> "Callable[[Url], Location]":
    from ._cloud import CloudObject

    return lambda url: CloudObject(buckets, url)
