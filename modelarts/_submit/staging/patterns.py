"""The patterns of an ignore file, read as git reads those of a `.gitignore`.

The package `pathspec` is not used: it matches whole paths, while a walk that skips ignored folders asks for one folder
at a time. Then `*`, `!*/`, `!*.py` leave out all folders; and lines that git passes over, such as `!`, are errors.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import attrs

_TOKEN = re.compile(r"\\(?P<escaped>.)|(?P<many>\*+)|(?P<one>\?)|\[(?P<other>[!^]?)(?P<chosen>\]?(?:\\.|[^\]\\])*)\]|.")


@attrs.frozen
class Pattern:
    """One line of an ignore file."""

    text: str
    line: int
    negated: bool
    only_folders: bool
    regex: re.Pattern[str]

    @property
    def has_literal_text(self) -> bool:
        """Whether it has more than wildcards; `!*/` names no particular folder."""
        return bool(re.search(r"[^!*/]", self.text))

    def matches(self, inside: str, is_folder: bool) -> bool:
        """Whether it matches this very path, relative to the folder of the ignore file, and not only one above it."""
        return (is_folder or not self.only_folders) and self.regex.fullmatch(inside) is not None


@attrs.frozen
class IgnoreFile:
    """An ignore file. The last pattern that matches decides."""

    path: Path
    patterns: Sequence[Pattern]

    @classmethod
    def read(cls, path: Path) -> Optional[IgnoreFile]:
        """The ignore file at `path`, or `None`.

        Raises:
            ValueError: it is not UTF-8.
            OSError: it cannot be read.
        """
        if not path.is_file():
            return None
        try:
            lines = path.read_bytes().decode("utf-8-sig").split("\n")
        except UnicodeDecodeError:
            raise ValueError(f"{path} is not UTF-8; save it as UTF-8") from None
        found = (pattern(line, number) for number, line in enumerate(lines, 1))
        return cls(path, tuple(filter(None, found)))

    def deciding(self, inside: str, is_folder: bool) -> Optional[Pattern]:
        """The pattern that decides about a path."""
        return next((row for row in reversed(self.patterns) if row.matches(inside, is_folder)), None)


def pattern(line: str, number: int) -> Optional[Pattern]:
    """The pattern of a line; `None` for blank lines, comments, and what cannot match anything."""
    text = re.sub(r"(?<!\\) +$", "", line.rstrip("\r"))
    negated = text.startswith("!")
    body = text[1:] if negated else text
    only_folders = body.endswith("/")
    body = re.sub(r"\\(.)", lambda found: "/" if found[1] == "/" else found[0], body[:-1] if only_folders else body)
    if text.startswith("#") or not body.strip("/"):
        return None
    anchored = "/" in body
    parts = body[1:].split("/") if body.startswith("/") else body.split("/")
    try:
        regex = re.compile(("" if anchored else "(?:.+/)?") + _of_parts(parts), re.DOTALL)
    except (ValueError, re.error):
        return None
    return Pattern(text, number, negated, only_folders, regex)


def _of_parts(parts: Sequence[str]) -> str:
    *above, last = parts
    folders = ("(?:.+/)?" if part == "**" else _of_part(part) + "/" for part in above)
    return "".join(folders) + (".+" if last == "**" else _of_part(last))


def _of_part(part: str) -> str:
    return "".join(map(_of_token, _TOKEN.finditer(part)))


def _of_token(token: re.Match[str]) -> str:
    if token["escaped"]:
        return re.escape(token["escaped"])
    if token["many"]:
        return "[^/]*"
    if token["one"]:
        return "[^/]"
    if token["chosen"]:
        return f"[{'^/' if token['other'] else ''}{_of_set(token['chosen'])}]"
    if token[0] in "\\[":  # an incomplete escape or set: in git, it matches nothing
        raise ValueError(token[0])
    return re.escape(token[0])


def _of_set(chosen: str) -> str:
    first, rest = (r"\]", chosen[1:]) if chosen.startswith("]") else ("", chosen)
    return first + re.sub(r"\\(.)|([\[&~|^])", lambda found: re.escape(found[1] or found[2]), rest)
