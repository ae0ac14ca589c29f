"""Files that appear when they are complete: written beside their target, then renamed."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Callable, TypeVar

    T = TypeVar("T")

PART = ".modelarts-part-"  # the beginning of names that no bucket lists
_ATTEMPTS = 20


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
    """A new file for `target`, which it becomes at the first `publish`; later writes go to it directly."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._part = part_of(target)
        self.file: IO[bytes] = in_folder(target, lambda: open(self._part, "x+b"))  # noqa: SIM115
        self._is_published = False

    def publish(self) -> None:
        """Make visible what was written; `file` must have been flushed."""
        if not self._is_published:
            os.replace(self._part, self._target)
            self._is_published = True
        elif not self._is_target():
            self._replace_again()

    def _is_target(self) -> bool:
        """Whether nobody has replaced or deleted the target since."""
        try:
            return os.path.samestat(os.stat(self._target), os.fstat(self.file.fileno()))
        except OSError:
            return False

    def _replace_again(self) -> None:
        """What was written is the object again, as on OBS, where the last upload counts."""
        import shutil

        part = part_of(self._target)
        place = self.file.tell()
        self.file.seek(0)
        with in_folder(self._target, lambda: open(part, "xb")) as copy:
            shutil.copyfileobj(self.file, copy)
        self.file.seek(place)
        os.replace(part, self._target)
