"""The functions of `moxing.file`. Each takes local paths, `s3://` and `obs://`, by position or keyword."""

import os

from ._access import locate as _locate
from ._access import set_auth as set_auth
from ._background import background_sync_copy as background_sync_copy
from ._errors import MoxFileNameDuplicateException as MoxFileNameDuplicateException
from ._errors import MoxFileNotExistsException as MoxFileNotExistsException
from ._errors import MoxFileReadException as MoxFileReadException
from ._errors import MoxFileRespException as MoxFileRespException
from ._errors import _MoxFileBaseRespException as _MoxFileBaseRespException
from ._errors import not_exists as _not_exists
from ._listing import glob as glob
from ._listing import list_directory as list_directory
from ._listing import scan_dir as scan_dir
from ._listing import walk as walk
from ._open import File as File
from ._transfer import copy as copy
from ._transfer import copy_parallel as copy_parallel
from ._transfer import rename as rename
from .mapping import shift as shift

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    from ._location import Status

# Scripts set these to tune downloads of large files; files of any size are copied in the same way here.
_LARGE_FILE_METHOD = 1
_LARGE_FILE_TASK_NUM = 32
_LARGE_FILE_PART_SIZE = 10 << 20
_PARTIAL_MAXIMUM_SIZE = 5 << 30
_NUMBER_OF_PROCESSES = NUMBER_OF_PROCESSES = os.cpu_count() or 1


def read(url: "Any", client_id: "Any" = None, binary: bool = False, exist_check: bool = False) -> "Union[str, bytes]":
    """Read a whole file, as text (UTF-8) unless `binary`.

    Args:
        exist_check: look for the file first, and raise `MoxFileNotExistsException` if there is none.

    Raises:
        MoxFileRespException: there is no such object.
        UnicodeDecodeError: it is not UTF-8.

    Example:
        >>> text = read("obs://bucket/data/labels.txt")
    """
    location = _locate(url)
    if exist_check and not location.is_file():
        raise _not_exists(location.url, "file")
    data = location.read()
    return data if binary else data.decode()


def write(url: "Any", data: "Union[str, bytes]", binary: bool = False) -> None:
    """Create or replace a file by a text, or with `binary` by bytes."""
    _require_type(data, binary)
    with File(url, "wb" if binary else "w") as file:
        file.write(data)


def append(url: "Any", data: "Union[str, bytes]", binary: bool = False) -> None:
    """Append a text, or with `binary` bytes, to a file, which is created if it does not exist."""
    _require_type(data, binary)
    with File(url, "ab" if binary else "a") as file:
        file.write(data)


def append_remote(src_url: "Any", dst_url: "Any" = None, dsturl: "Any" = None) -> None:
    """Append the content of a file to another.

    Args:
        dsturl: the same as `dst_url`; documents have both.
    """
    target = dsturl if dst_url is None else dst_url
    if target is None:
        raise TypeError("append_remote needs dst_url, the file to append to")
    append(target, _locate(src_url).read(), binary=True)


def exists(url: "Any") -> bool:
    """Whether a file or folder exists."""
    try:
        return _locate(url).exists()
    except ValueError:  # it names no bucket
        return False


def is_directory(url: "Any") -> bool:
    """Whether a folder exists."""
    try:
        return _locate(url).is_folder()
    except ValueError:  # it names no bucket
        return False


def make_dirs(url: "Any") -> None:
    """Create a folder and those above it, unless they exist."""
    folder = _locate(url)
    folder.make_folder()
    folder.keep_folder()


def mk_dir(url: "Any") -> None:
    """Create a folder.

    Raises:
        OSError: the folder above it does not exist.
    """
    folder = _locate(url)
    folder.make_folder(parents=False)
    folder.keep_folder()


def remove(url: "Any", recursive: bool = False) -> None:
    """Delete a file, or with `recursive` a folder; what does not exist is no error."""
    _locate(url).remove(recursive)


def get_size(url: "Any", recursive: bool = False) -> int:
    """Bytes of a file, of a local folder, or with `recursive` of a folder in a bucket; without it, that is 0.

    Raises:
        MoxFileNotExistsException: there is no such file or folder.
    """
    return _locate(url).size(recursive)


def stat(url: "Any") -> "Status":
    """The `length`, `mtime_nsec` and `is_directory` of a file or folder, and what `os.stat` calls `st_…`.

    Raises:
        MoxFileNotExistsException: there is no such file or folder.
    """
    location = _locate(url)
    found = location.status()
    if found is None:
        raise _not_exists(location.url)
    return found


def _require_type(data: "Any", binary: bool) -> None:
    """Refuse data of the wrong kind before anything is replaced by it."""
    if binary and isinstance(data, str):
        raise TypeError("a text cannot be written with binary=True: give bytes, or leave binary out")
    if not binary and not isinstance(data, str):
        raise TypeError(f"{type(data).__name__} cannot be written as text: give a text, or bytes with binary=True")
