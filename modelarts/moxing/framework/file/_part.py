"""Files that appear when they are complete: written beside their target, then renamed."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Callable, TypeVar

    T = TypeVar("T")

PART = ".modelarts-part-"  # the beginning of names that no bucket lists
_ATTEMPTS = 20
_O_TMPFILE = getattr(os, "O_TMPFILE", 0)


def part_of(target: str) -> str:
    """A new name beside a file, for its incomplete content."""
    return os.path.join(os.path.dirname(target), f"{PART}{os.getpid()}-{os.urandom(6).hex()}")


def in_folder(target: str, action: "Callable[[], T]") -> "T":
    """Do something that needs the folder of a file, which is created; another process may just delete it."""
    for attempt in range(_ATTEMPTS):
        try:
            return action()
        except FileNotFoundError:
            if attempt + 1 == _ATTEMPTS:
                raise
        make_folder(os.path.dirname(target) or ".")
    raise AssertionError


def make_folder(path: str) -> None:
    """Create a folder and those above it, unless it exists; another process may delete those above."""
    for attempt in range(_ATTEMPTS):
        try:
            os.makedirs(path, exist_ok=True)
        except FileExistsError:  # also where it is deleted between two steps of `makedirs`
            if os.path.lexists(path) and not os.path.isdir(path):
                raise
        except FileNotFoundError:
            if attempt + 1 == _ATTEMPTS:
                raise
        else:
            return


class PartFile:
    """A new file for `target`, which it becomes at the first `publish`; later writes go to it directly.

    It has no name until then, where the file system has such files: nothing is left of it if the process is killed.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._part = ""
        self._is_published = False
        self.file: IO[bytes] = in_folder(target, self._open)

    def publish(self) -> None:
        """Make visible what was written; `file` must have been flushed."""
        if not self._is_published and self._has_name():
            os.replace(self._part, self._target)
        elif not self._is_target():
            self._replace()
        self._is_published = True

    def _open(self) -> "IO[bytes]":
        if _O_TMPFILE:
            try:
                return open(os.open(os.path.dirname(self._target), _O_TMPFILE | os.O_RDWR, 0o666), "w+b")
            except FileNotFoundError:  # there is no such folder yet
                raise
            except OSError:  # the file system has no such files
                pass
        self._part = part_of(self._target)
        return open(self._part, "x+b")

    def _has_name(self) -> bool:
        if not self._part:
            part = part_of(self._target)
            try:
                in_folder(part, lambda: give_name(self.file.fileno(), part))
            except OSError:  # there is no /proc
                return False
            self._part = part
        return True

    def _is_target(self) -> bool:
        """Whether nobody has replaced or deleted the target since."""
        try:
            return os.path.samestat(os.stat(self._target), os.fstat(self.file.fileno()))
        except OSError:
            return False

    def _replace(self) -> None:
        """What was written is the object again, as on OBS, where the last upload counts."""
        import shutil

        part = part_of(self._target)
        place = self.file.tell()
        self.file.seek(0)
        with in_folder(self._target, lambda: open(part, "xb")) as copy:
            shutil.copyfileobj(self.file, copy)
        self.file.seek(place)
        os.replace(part, self._target)


def give_name(descriptor: int, path: str) -> None:
    """Give an open file without a name one. Raises `OSError`."""
    # With a descriptor of a folder, which an absolute path does not need, Python follows the link.
    os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor, follow_symlinks=True)
