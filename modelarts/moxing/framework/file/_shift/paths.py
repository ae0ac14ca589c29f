"""Methods of `pathlib.Path` that do not reach a shifted function, for paths such as `Path("s3://bucket/key")`."""

import functools
import pathlib

from .. import file_io
from .functions import functions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _mkdir(path: "Any", mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
    if not exist_ok and file_io.exists(path):
        raise FileExistsError(17, "File exists", str(path))
    (file_io.make_dirs if parents else file_io.mk_dir)(path)


def _touch(path: "Any", mode: int = 0o666, exist_ok: bool = True) -> None:
    if not file_io.exists(path):
        file_io.write(path, b"", binary=True)
    elif not exist_ok:
        raise FileExistsError(17, "File exists", str(path))


def _itself(path: "Any", *args: "Any", **options: "Any") -> "Any":
    return path


_FOR_URLS: "dict[str, Callable[..., Any]]" = {"mkdir": _mkdir, "touch": _touch, "resolve": _itself, "absolute": _itself}


def methods() -> "dict[str, Callable[..., Any]]":
    """What replaces methods of `Path`, by name."""
    return {name: _method(getattr(pathlib.Path, name), for_urls) for name, for_urls in _FOR_URLS.items()}


def _method(of_python: "Callable[..., Any]", for_urls: "Callable[..., Any]") -> "Callable[..., Any]":
    @functools.wraps(of_python)
    def method(self: "Any", *args: "Any", **options: "Any") -> "Any":
        return (for_urls if functions.is_url(self) else of_python)(self, *args, **options)

    return method
