"""Copying and moving files and folders between local paths and buckets."""

import logging
import os

from . import _errors
from ._access import locate
from ._copy import copy_files, copy_new_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Optional

    from ._location import Location

_THREADS = 16
_PAGE = 1000  # objects that OBS lists at once


def copy(src_url: "Any", dst_url: "Any", client_id: "Any" = None) -> None:
    """Copy one file to a full file name; an existing file is replaced.

    Raises:
        MoxFileRespException: the source is a folder, or is not in its bucket.
    """
    source, target = locate(src_url), locate(dst_url)
    _require_file(source)
    _copy_one(source, target)


def copy_parallel(
    src_url: "Any",
    dst_url: "Any",
    file_list: "Optional[Sequence[str]]" = None,
    threads: int = _THREADS,
    is_processing: bool = True,
    use_queue: bool = True,
) -> None:
    """Copy the content of a folder into a folder, or a file to a full file name.

    What the target has already stays, except files of the same names. If there is nothing to copy, that is logged.

    Args:
        file_list: only these, by paths relative to `src_url`; of a folder in it, all that it contains.
        threads: how many files are copied at once; 0 is 1.
        is_processing, use_queue: accepted; files are always copied by threads.

    Raises:
        MoxFileNameDuplicateException: an object has the name of another's folder.
        MoxFileRespException: OBS refused, or the bucket does not exist.
    """
    source, target = locate(src_url), locate(dst_url)
    if file_list is None and source.is_file():
        _copy_one(source, target)
        return
    if not source.is_folder():
        source.require_bucket()
        logging.getLogger().warning("No files to copy")
        return
    files, folders = _content(source) if file_list is None else _chosen(source, file_list)
    threads = threads or 1
    if not files:
        logging.getLogger().warning("No files to copy")
    if file_list is None and _copy_as_new(source, target, folders, files, threads):
        return
    if target.path is not None or not files:
        target.make_folder()
    if target.path is None:  # folders with content come with it
        folders = sorted(set(folders).difference(name.rpartition("/")[0] for name in (*files, *folders)))
    for folder in folders:
        target.child(folder).make_folder()
    _copy_many(source, target, files, threads)


def _copy_as_new(
    source: "Location", target: "Location", folders: "list[str]", files: "list[str]", threads: int
) -> bool:
    """Copy to a local folder that does not exist yet, in the way that is quick; returns whether it is copied."""
    if not (source.path and target.path and target.is_local) or os.path.lexists(target.path):
        return False
    with source.refusals():
        return copy_new_folder(source.path, target.path, folders, files, threads)


def rename(src_url: "Any", dst_url: "Any") -> None:
    """Move a file or folder, also between buckets and local folders.

    Raises:
        MoxFileNotExistsException: there is no such file or folder.
    """
    source, target = locate(src_url), locate(dst_url)
    found = source.status()
    if found is None:
        raise _errors.not_exists(source.url)
    if not found.is_directory:
        target = _target_of_file(source, target)
    if source.place == target.place:
        return
    if found.is_directory and target.place.startswith(f"{source.place.rstrip('/')}/"):
        raise OSError(f"cannot move {source.url} into itself: {target.url}")
    if source.move_to(target):
        return
    if found.is_directory:
        _require_all(source)
        copy_parallel(src_url, dst_url)
    else:
        _copy_one(source, target)
    source.remove(recursive=found.is_directory)


def _require_all(source: "Location") -> None:
    """Raise where a folder has content that is not copied, and would be lost when the folder is deleted."""
    if source.path is None and len(source.to_copy()) < len(source.entries(recursive=True)):
        raise OSError(f"cannot move {source.url}: it contains names that no file can have; the log lists them")


def _require_file(source: "Location") -> None:
    if source.is_file():
        return
    if source.is_local:
        if source.is_folder():
            raise IsADirectoryError(f"{source.url} is a folder: copy folders by copy_parallel")
        raise _errors.not_exists(source.url, "file")
    source.require_bucket()
    raise _errors.is_folder(source.url) if source.is_folder() else _errors.no_key(source.url)


def _target_of_file(source: "Location", target: "Location") -> "Location":
    """What a file is copied to: in a folder it keeps its name."""
    if target.slash or (target.path is not None and os.path.isdir(target.path)):
        return target.child(os.path.basename(source.url))
    return target


def _copy_one(source: "Location", target: "Location") -> None:
    target = _target_of_file(source, target)
    target.require_bucket()
    _copy_many(source, target, [""], 1)


def _copy_many(source: "Location", target: "Location", names: "list[str]", threads: int) -> None:
    """Copy names below two folders; the empty name stands for the file itself."""
    if source.path is not None and target.path is not None:
        target.require_bucket()
        with target.refusals(writing=True), source.refusals():
            copy_files([(_join(source.path, name), _join(target.path, name)) for name in names], threads)
    elif source.path is not None:
        target.upload([(_join(source.path, name), name) for name in names], threads)
    elif target.path is not None:
        source.download([(name, _join(target.path, name)) for name in names], threads)
    else:
        _copy_between_clouds(source, target, names, threads)


def _copy_between_clouds(source: "Location", target: "Location", names: "list[str]", threads: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="moxing-") as folder:
        paths = [(name, _join(folder, name or "file")) for name in names]
        source.download(paths, threads)
        target.upload([(path, name) for name, path in paths], threads)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if name else folder


def _content(source: "Location") -> "tuple[list[str], list[str]]":
    """The names of all files and folders in a folder."""
    entries = source.to_copy()
    if not source.is_local:
        for _ in range(0, len(entries) or 1, _PAGE):
            logging.getLogger().info("Listing OBS")
    files = [entry.name for entry in entries if not entry.is_folder]
    folders = [entry.name for entry in entries if entry.is_folder]
    for name in set(files).intersection(folders):
        raise _errors.MoxFileNameDuplicateException(
            f"{name} is an object and a folder; a local folder cannot contain both"
        )
    return files, folders


def _chosen(source: "Location", file_list: "Sequence[str]") -> "tuple[list[str], list[str]]":
    """The names in `file_list` that are files, and those of folders, with what they contain."""
    if isinstance(file_list, (str, bytes)):
        raise TypeError(f"file_list={file_list!r}: write a list of paths relative to src_url")
    found = {}  # type: dict[str, bool]
    for given in file_list:
        parts = [part for part in os.fspath(given).split("/") if part not in ("", ".")]
        name = "/".join(parts)
        if not name or ".." in parts:
            raise ValueError(f"file_list: {given!r} is not the path of a file relative to {source.url}")
        child = source.child(name)
        is_folder = not child.is_file() and child.is_folder()
        if is_folder:
            found.update((f"{name}/{entry.name}", entry.is_folder) for entry in child.to_copy())
        else:
            _require_file(child)
        found[name] = is_folder
    return [name for name in found if not found[name]], sorted(name for name in found if found[name])
