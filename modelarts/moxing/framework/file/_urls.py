"""Addresses in buckets: `s3://bucket/key` and `obs://bucket/key`; everything else is a local path."""

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

# One slash is enough: `pathlib` and `os.path.normpath` make `s3:/bucket` of `s3://bucket`.
_URL = re.compile(r"(s3|obs):/+([^/]*)(.*)", re.IGNORECASE | re.DOTALL)


class Url:
    """A bucket and a key in it.

    Args:
        scheme: `s3` or `obs`, as given.
        key: without slashes at its ends; empty for the bucket itself.
        slash: whether the text ended with a slash, so that it can only be a folder.
    """

    __slots__ = ("bucket", "key", "scheme", "slash")

    def __init__(self, scheme: str, bucket: str, key: str, slash: bool = False) -> None:
        self.scheme = scheme
        self.bucket = bucket
        self.key = key
        self.slash = slash

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}{'/' if self.key else ''}{self.key}"

    def __truediv__(self, name: str) -> "Url":
        return Url(self.scheme, self.bucket, f"{self.key}/{name}" if self.key else name)

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition("/")[2]

    @property
    def parent(self) -> "Url":
        """The folder around it; that of a bucket is the bucket."""
        return Url(self.scheme, self.bucket, self.key.rpartition("/")[0], True)


def is_url(path: "Any") -> bool:
    """Whether a path is an address in a bucket."""
    text = path if isinstance(path, str) else _text(path) if isinstance(path, (bytes, os.PathLike)) else ""
    return text[:1] in ("s", "S", "o", "O") and _URL.match(text) is not None


def parse(path: "Any") -> "Optional[Url]":
    """The address, or `None` for a local path. Slashes between names may be repeated.

    Raises:
        TypeError: it is not a path.
        ValueError: it names no bucket, or leads out of it.
    """
    text = _text(path)
    match = _URL.match(text)
    if match is None:
        return None
    scheme, bucket, key = match.groups()
    if bucket in ("", ".", ".."):
        raise ValueError(f"{text!r} names no bucket; write {scheme}://bucket/key")
    names = []  # type: list[str]
    for name in key.split("/"):
        if name == "..":
            if not names:
                raise ValueError(f"{text!r} leads out of the bucket: it has more '..' than folders")
            names.pop()
        elif name not in ("", "."):
            names.append(name)
    return Url(scheme, bucket, "/".join(names), not names or key.endswith(("/", "/.", "/..")))


def _text(path: "Any") -> str:
    if isinstance(path, (str, bytes, os.PathLike)):
        return os.fsdecode(path)
    raise TypeError(f"{path!r} is not a path: write a text such as 'obs://bucket/key' or '/cache/data'")
