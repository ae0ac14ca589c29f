"""Removes secrets from messages: some services and proxies quote the request in their replies."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Optional
from urllib.parse import unquote, urlsplit

HIDDEN = "****"
_HEADERS = ("X-Auth-Token", "X-Security-Token", "x-obs-security-token", "x-amz-security-token", "Authorization")


class Secrets(NamedTuple):
    """Texts that must not be shown, also as JSON, HTML or a URL escapes them."""

    texts: tuple[str, ...]

    def __repr__(self) -> str:
        return "Secrets()"

    @classmethod
    def of(cls, headers: Mapping[str, Any], proxy: Optional[str] = None, *others: str) -> Secrets:
        """The secrets of a request's headers, of its proxy, and others."""
        found = [str(headers[name]) for name in _HEADERS if headers.get(name)]
        return cls(tuple(filter(None, (*found, *_of_proxy(proxy), *others))))

    def redact(self, value: Any) -> Any:
        """The same value, with secrets replaced in all texts."""
        if isinstance(value, str):
            return self._redact_text(value)
        if isinstance(value, Mapping):
            return type(value)((self.redact(name), self.redact(item)) for name, item in value.items())  # type: ignore[call-arg]
        return [self.redact(item) for item in value] if isinstance(value, list) else value

    def _redact_text(self, text: str) -> str:
        # Compiling a pattern takes milliseconds, and few texts contain secrets.
        possible = [secret for secret in self.texts if _longest_word(secret) in text]
        if not possible:
            return text
        return re.sub("|".join("".join(map(_escaped, secret)) for secret in possible), HIDDEN, text)


def _longest_word(secret: str) -> str:
    """Its most letters and digits in a row, which are never escaped; may be empty."""
    return max(re.findall("[A-Za-z0-9]+", secret), key=len, default="")


def _of_proxy(proxy: Optional[str]) -> list[str]:
    """The password of a proxy, as it is configured, decoded, and sent."""
    user, _, password = (urlsplit(proxy or "").netloc.rpartition("@")[0]).partition(":")
    if not password:
        return []
    login = f"{unquote(user)}:{unquote(password)}"
    return [password, unquote(password), base64.b64encode(login.encode()).decode()]


def _escaped(character: str) -> str:
    """A pattern for a character, plain or escaped; letters and digits are never escaped."""
    import html  # only errors need it

    if character.isascii() and character.isalnum():
        return character
    number = ord(character)
    forms = {
        re.escape(character), rf"\\{re.escape(character)}", rf"\\u{number:04x}", f"&#0*{number};", f"&#x0*{number:x};",
        re.escape(html.escape(character)), "".join(f"%{byte:02x}" for byte in character.encode(errors="replace")),
    }  # fmt: skip
    return f"(?i:{'|'.join(sorted(forms))})"
