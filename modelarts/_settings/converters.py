"""What the values of settings may be: each function converts one, or raises a `ValueError` that says the rule."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, Optional
from urllib.parse import unquote

from modelarts._settings.home import absolute
from modelarts.errors import shortened

MASK = "****"
NO_PROXY = "none"
YEAR = 366 * 86400

_FLAGS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_HOST = re.compile(r"[\w-]+(\.[\w-]+)*\.?|\[.*\]")
_NOT_IN_URLS = re.compile(r"[\s?#\\]|[\[\]].*@|://.*(//|:/|:$)")  # parts that no address needs, and empty ones
_QUOTES = "\"'`"
_CONTENT = "-----BEGIN"  # of certificates and keys
_VARIABLE = re.compile(r"[A-Za-z_*][A-Za-z0-9_*]*")

_PROXY_RULE = (
    "write the URL of an HTTP proxy, such as http://proxy.example.com:3128, with %2F and the like for special "
    "characters in its password"
)


# --- texts


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("write it as a text, in quotes")
    return value


def name(value: Any) -> str:
    """A name; blanks and line breaks around it belong to the file, not to it."""
    found = text(value).strip()
    if not found.isprintable():
        raise ValueError("write it without line breaks and other characters that cannot be printed")
    return found


def key(value: Any) -> str:
    """A key, token or id: no service gives one that has quotes around it."""
    found = header(value)
    if found.strip(_QUOTES) != found:
        raise ValueError("write it without the quotes around it")
    return found


def password(value: Any) -> str:
    """A password, blanks around it included; a line break at its end is most often that of a file."""
    found = text(value)
    if found != found.rstrip("\r\n"):
        raise ValueError("write it without the line break at its end")
    return found


def header(value: Any) -> str:
    """A text that is sent in a header; a line break at its end belongs to the file, not to it."""
    found = text(value).strip()
    if not (found.isascii() and found.isprintable()):
        raise ValueError("write it without line breaks and characters that are not ASCII")
    return found


def mode(value: Any) -> str:
    found = str(value).strip().lower()
    if found not in ("", "local", "cloud"):
        raise ValueError("write local or cloud")
    return found


def isolation(value: Any) -> str:
    found = str(value).strip().lower()
    if found not in ("auto", "require", "off"):
        raise ValueError("write auto, require or off")
    return found


def images(value: Any) -> str:
    found = str(value).strip().lower()
    if found not in ("host", "refuse"):
        raise ValueError("write host or refuse")
    return found


def language(value: Any) -> str:
    found = re.split("[-_.]", str(value).strip().lower())[0]  # of zh_CN.UTF-8, too
    if found not in ("en", "zh"):
        raise ValueError("write en or zh")
    return found


# --- switches and numbers


def flag(value: Any) -> bool:
    found = _FLAGS.get(str(value).strip().lower())
    if found is None:
        raise ValueError("write 1 or 0, true or false")
    return found


def seconds(value: Any) -> float:
    """Seconds up to a year: more is a mistake, and some functions take no more than 2^31."""
    try:
        found = 0.0 if isinstance(value, bool) else float(value)
    except (OverflowError, TypeError, ValueError):
        found = 0.0
    if not 0 < found <= YEAR:
        raise ValueError(f"write a number of seconds above 0 and up to {YEAR}")
    return found


def count(value: Any) -> int:
    found = _whole_number(value)
    if found is None or found < 1:
        raise ValueError("write a whole number from 1")
    return found


def port(value: Any) -> int:
    found = _whole_number(value)
    if found is None or not 0 <= found <= 65535:
        raise ValueError("write a port from 1 to 65535, or 0 for any free one")
    return found


def _whole_number(value: Any) -> Optional[int]:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    try:
        return int(value)
    except ValueError:
        return None


# --- addresses


def endpoint(value: Any) -> str:
    """The URL of a service; a host alone means https."""
    url = _url(value, "https", ("http", "https"))
    if url is None:
        raise ValueError("write a host such as modelarts.example.com, or its URL")
    if "@" in _authority(url):
        raise ValueError("write it without user name and password; a session has credentials of its own")
    if path := url.split("/", 3)[3:]:
        raise ValueError(f"write it without the path /{path[0]}: calls have paths of their own")
    return url


def proxy(value: Any) -> str:
    """The URL of a proxy, or `none`."""
    if str(value).strip().lower() == NO_PROXY:
        return NO_PROXY
    return _proxy(value, ("http", "https"), f"{_PROXY_RULE}, or none")


def environment_proxy(value: str) -> str:
    """The URL of a proxy in a variable that other tools read, too; some of them support SOCKS."""
    return _proxy(value, ("http", "https", "socks4", "socks4a", "socks5", "socks5h"), _PROXY_RULE)


def _proxy(value: Any, schemes: Collection[str], rule: str) -> str:
    url = _url(value, "http", schemes)
    if url is None:
        raise ValueError(rule)
    if max(unquote(_authority(url).rpartition("@")[0]), default="") > "\xff":
        raise ValueError("its user name and password can only have the characters of Latin-1: HTTP sends no others")
    return url


def _url(value: Any, scheme: str, schemes: Collection[str]) -> Optional[str]:
    """A URL as it was written, with a scheme if it had none; `None` for what is not the URL of a host."""
    from urllib3.exceptions import LocationParseError  # costs as much as all of this package
    from urllib3.util import parse_url

    text = value.strip() if isinstance(value, str) else ""
    url = (text if "://" in text else f"{scheme}://{text}").rstrip("/")
    try:
        parts = parse_url(url)
    except LocationParseError:
        return None
    if parts.scheme not in schemes or parts.port == 0 or not _HOST.fullmatch(parts.host or ""):
        return None
    return None if _NOT_IN_URLS.search(url) else f"{parts.scheme}://{url.partition('://')[2]}"


def _authority(url: str) -> str:
    return url.split("/")[2]


def without_login(url: str) -> str:
    """A URL, right or wrong, with its user name and password masked.

    All before its last @ may be one, and a port that is not a number may be a part of a password.
    """
    scheme, login, rest = re.fullmatch(r"(\w+://)?(.*@)?(.*)", url, re.DOTALL).groups("")  # type: ignore[union-attr]
    rest = re.sub(r"^([^:/\[]*|\[[^\]]*\]):(?![0-9]*(/|$)).*", rf"\1:{MASK}", rest, flags=re.DOTALL)
    return f"{scheme}{f'{MASK}@' if login else ''}{rest}"


# --- files and tables


def file(value: Any) -> str:
    """The absolute path of a file or folder that exists."""
    if _CONTENT in text(value):
        raise ValueError("write the path of a file, not its content")
    path = absolute(value.strip())
    try:
        path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{shortened(str(path))}: {reason}; name one that this user can read") from None
    return str(path)


def certificate(value: Any) -> str | tuple[str, str]:
    """The file of a certificate and its key, or one file for each."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)) or len(parts) not in (1, 2):
        raise ValueError("write one file that holds certificate and key, or two with a comma between them")
    paths = [file(part) for part in parts]
    return paths[0] if len(paths) == 1 else (paths[0], paths[1])


def without_content(path: str) -> str:
    """A path for messages: some write a key in place of the path of its file."""
    before, begin, _ = path.partition(_CONTENT)
    return f"{before}{begin}{MASK}" if begin else path


def texts_by_name(value: Any) -> dict[str, str]:
    """A JSON object whose members are texts."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except (RecursionError, ValueError):
        found = None
    if not isinstance(found, Mapping) or not all(isinstance(item, str) for item in found.values()):
        raise ValueError('write a JSON object such as {"TensorFlow": "/opt/tf/bin/python"}')
    return {str(key): item for key, item in found.items()}


def variable_names(value: Any) -> list[str]:
    """Names of environment variables, as a list or with commas between them; `*` stands for any characters."""
    found = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(found, (list, tuple)) or not all(
        isinstance(name, str) and _VARIABLE.fullmatch(name) for name in found
    ):
        raise ValueError("write names of environment variables with commas between them, such as HTTPS_PROXY, WANDB_*")
    return list(found)
