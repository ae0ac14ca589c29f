"""Copies of local files; buckets that are folders are local files, too."""

import os

from ._part import in_folder, part_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def copy_file(source: str, target: str) -> None:
    """Copy the content of a file; the target appears when it is complete. Folders above it are created."""
    import shutil  # takes time, and jobs that copy nothing do not need it

    if _is_same(source, target):
        return
    with open(source, "rb") as content:  # before folders are created for nothing
        part = part_of(target)
        try:
            with in_folder(target, lambda: open(part, "xb")) as file:
                shutil.copyfileobj(content, file, 1 << 20)
            os.replace(part, target)
        except BaseException:
            if os.path.lexists(part):
                os.unlink(part)
            raise


def copy_files(pairs: "Iterable[tuple[str, str]]", threads: int) -> None:
    """Copy files, several at once.

    Args:
        threads: how many at once; 0 and 1: one after the other.
    """
    for source, target in pairs:
        copy_file(source, target)


def _is_same(source: str, target: str) -> bool:
    try:
        return os.path.samefile(source, target)
    except OSError:
        return False
