"""What the values of settings may be: each function reads one, or raises a `ValueError` that says the rule."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Collection, Mapping
from typing import Any, Optional
from urllib.parse import SplitResult, unquote, urlsplit

from modelarts._settings.sources import whole
from modelarts.errors import shortened

MASK = "****"
NO_PROXY = "none"
YEAR = 366 * 86400

_FLAGS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_NAME_OF_HOST = re.compile(r"[\w-]+(\.[\w-]+)*\.?")
_CONTENT = "-----BEGIN"  # of certificates and keys

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
    """A name that people give; blanks and line breaks around it are the file's, not its own."""
    found = text(value).strip()
    if not found.isprintable():
        raise ValueError("write it without line breaks and other characters that cannot be printed")
    return found


def password(value: Any) -> str:
    """Kept as it is: blanks may be its own. Files have line breaks at the end of their lines, passwords hardly do."""
    found = text(value)
    if found != found.rstrip("\r\n"):
        raise ValueError("write it without the line break at its end")
    return found


def sent(value: Any) -> str:
    """What goes into a header; a line break at its end is the file's, not its own."""
    found = text(value).strip()
    if not (found.isascii() and found.isprintable()):
        raise ValueError("write it without line breaks and characters that are not ASCII")
    return found


def mode(value: Any) -> str:
    found = str(value).strip().lower()
    if found not in ("", "local", "cloud"):
        raise ValueError("write local or cloud")
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
    """Up to a year: more is a mistake, and some of what counts seconds takes no more than 2^31 of them."""
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
    """An address as a URL; a bare host means https."""
    parts = _address(value, "https", ("http", "https"))
    if parts is None:
        raise ValueError("write a host such as modelarts.example.com, or its URL")
    if "@" in parts.netloc:
        raise ValueError("write it without user name and password; a session has its own login")
    return parts.geturl()


def proxy(value: Any) -> str:
    """The URL of a proxy, or `none`."""
    if str(value).strip().lower() == NO_PROXY:
        return NO_PROXY
    return _proxy(value, ("http", "https"), f"{_PROXY_RULE}, or none")


def usual_proxy(value: str) -> str:
    """That of a variable which other tools read, too; some take proxies that speak SOCKS."""
    return _proxy(value, ("http", "https", "socks4", "socks4a", "socks5", "socks5h"), _PROXY_RULE)


def _proxy(value: Any, schemes: Collection[str], rule: str) -> str:
    parts = _address(value, "http", schemes)
    if parts is None:
        raise ValueError(rule)
    if max(unquote(parts.netloc.rpartition("@")[0]), default="") > "\xff":
        raise ValueError("its user name and password can only have the characters of Latin-1: HTTP sends no others")
    return parts.geturl()


def _address(value: Any, scheme: str, schemes: Collection[str]) -> Optional[SplitResult]:
    """The parts of a URL, or of a host that stands for one; nothing for what is neither."""
    found = value.strip() if isinstance(value, str) else ""
    url = (found if "://" in found else f"{scheme}://{found}").rstrip("/")
    if re.search(r"[\s?#\\]", url):
        return None
    try:
        parts = urlsplit(url)
        good = parts.port != 0 and not parts.netloc.endswith(":") and "//" not in parts.path
    except ValueError:
        return None
    return parts if good and parts.scheme in schemes and _is_host(parts.hostname or "") else None


def _is_host(host: str) -> bool:
    if ":" not in host:
        return _NAME_OF_HOST.fullmatch(host) is not None
    try:
        return bool(ipaddress.IPv6Address(host))
    except ValueError:
        return False


def without_login(url: str) -> str:
    """A URL as people may see it, right or wrong.

    All before its last @ may be a login, and what stands for a port and is no number may be a password.
    """
    scheme, login, place = re.fullmatch(r"(\w+://)?(.*@)?(.*)", url, re.DOTALL).groups("")  # type: ignore[union-attr]
    place = re.sub(r"^([^:/\[]*|\[[^\]]*\]):(?![0-9]*(/|$)).*", rf"\1:{MASK}", place, flags=re.DOTALL)
    return f"{scheme}{f'{MASK}@' if login else ''}{place}"


# --- files and tables


def file(value: Any) -> str:
    """The whole path of a file or folder that is there."""
    if _CONTENT in text(value):
        raise ValueError("write the path of a file, not what is in it")
    path = whole(value.strip())
    try:
        path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{shortened(str(path))}: {reason}; name one that this user can read") from None
    return str(path)


def certificate(value: Any) -> str | tuple[str, str]:
    """The file of a certificate with its key, or those of both."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)) or len(parts) not in (1, 2):
        raise ValueError("write one file that holds certificate and key, or two with a comma between them")
    paths = [file(part) for part in parts]
    return paths[0] if len(paths) == 1 else (paths[0], paths[1])


def without_content(path: str) -> str:
    """A path as people may see it: some write a key in place of the path of its file."""
    before, begin, _ = path.partition(_CONTENT)
    return f"{before}{begin}{MASK}" if begin else path


def table(value: Any) -> dict[str, str]:
    """Texts by name."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except (RecursionError, ValueError):
        found = None
    if not isinstance(found, Mapping) or not all(isinstance(item, str) for item in found.values()):
        raise ValueError('write a JSON object such as {"TensorFlow": "/opt/tf/bin/python"}')
    return {str(key): item for key, item in found.items()}
