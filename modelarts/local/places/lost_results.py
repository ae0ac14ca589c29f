"""Files that a script left outside its output folder, for the log: most often results that it did not copy there."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping
from typing import Any, Optional

ENTRIES = 50_000  # that are looked at in one folder: the end of a version does not wait for more
NAMES = 3
_URLS = ("s3:/", "obs:/")  # how a folder is called that `open` or `os.makedirs` created for a URL
_URL_AS_FOLDER = "Python takes s3://… as a folder: use mox.file, or call mox.file.shift('os', 'mox') first"
_CLOCK = 20_000_000  # nanoseconds by which times of files may be behind the clock

Found = tuple[int, str, int]  # time of the last change in nanoseconds, name as the script knows it, size


class TooMany(Exception):
    """A folder has more than `ENTRIES` entries."""


def lines(spec: Mapping[str, Any], began: int) -> list[list[str]]:
    """The lines for the log of each worker; none if the version wrote anything to its output folder.

    Args:
        spec: of the version.
        began: when the workers were started, in nanoseconds: what is older was not written by them.
    """
    results, workers = spec["results"], spec["workers"]
    left = [_left(folders, began) for folders in results["scratch"]]
    if not any(left) or _wrote(results["output"], began - _CLOCK, {worker["log_object"] for worker in workers}):
        return [[] for _ in workers]
    known = [source for source in ((spec["code"] or {}).get("source"), (spec["input"] or {}).get("path")) if source]
    copies = {copy for source in known for copy in _names_and_sizes(source)}
    lost = [[found for found in each if (os.path.basename(found[1]), found[2]) not in copies] for each in left]
    return [_report(*each, results) for each in zip(lost, results["advice"])]


def _report(left: list[Found], advice: str, results: Mapping[str, Any]) -> list[str]:
    if not left:
        return []
    from modelarts._wire.sizes import size_text  # most versions end without a report

    left.sort(reverse=True)  # what was written last is most likely a result
    names = ", ".join(_shown(name) for _, name, _ in left[:NAMES]) + (", …" if len(left) > NAMES else "")
    count = f"{len(left)} file{'s' if len(left) > 1 else ''} ({size_text(sum(size for _, _, size in left))})"
    missing = f"nothing was written to train_url ({results['url']})" if results["output"] else "there is no train_url"
    hints = [_URL_AS_FOLDER] if any(name.startswith(_URLS) for _, name, _ in left) else []
    return [f"{missing}, and {count} remained on the node: {names}", advice, *hints]


def _shown(name: str) -> str:
    return name if name.isprintable() and len(name) <= 100 else ascii(name)[:100]


def _left(folders: Mapping[str, str], began: int) -> list[Found]:
    """The files that a worker created or changed; the first ones, if it has very many.

    Args:
        folders: where it may write, by the prefix of their files' names.
    """
    found: list[Found] = []
    for prefix, folder in folders.items():
        with contextlib.suppress(TooMany):
            for path, status in _entries(folder, hidden=False):
                if stat.S_ISREG(status.st_mode) and status.st_size and status.st_ctime_ns > began:
                    found.append((status.st_ctime_ns, prefix + os.path.relpath(path, folder), status.st_size))
    return found


def _wrote(output: Optional[str], since: int, logs: set[Optional[str]]) -> bool:
    """Whether anything in the output folder is new; in a very large folder that is assumed."""
    if not output:
        return False
    try:
        return any(status.st_ctime_ns > since and path not in logs for path, status in _entries(output))
    except TooMany:
        return True


def _names_and_sizes(source: str) -> Iterator[tuple[str, int]]:
    """What copies of code or data are known by."""
    with contextlib.suppress(TooMany):
        for path, status in _entries(source):
            yield os.path.basename(path), status.st_size


def _entries(top: str, hidden: bool = True) -> Iterator[tuple[str, os.stat_result]]:
    """What is below a folder, or the one file; without folders, and without those that are hidden or hold caches.

    Links are not followed. Raises `TooMany`.
    """
    if not os.path.isdir(top):
        if os.path.exists(top):
            yield top, os.stat(top)
        return
    folders, looked_at = [top], 0
    while folders:
        try:
            with os.scandir(folders.pop()) as scan:
                for entry in scan:
                    looked_at += 1
                    if looked_at > ENTRIES:
                        raise TooMany
                    if not entry.is_dir(follow_symlinks=False):
                        yield entry.path, entry.stat(follow_symlinks=False)
                    elif hidden or not (entry.name.startswith(".") or entry.name == "__pycache__"):
                        folders.append(entry.path)
        except OSError:  # removed meanwhile, or the script made it unreadable
            continue
