"""`File`: an object of a bucket, or a local file, that is used like one of Python."""

import atexit
import io
import os
import weakref

from ._access import locate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Optional

_writers = weakref.WeakSet()  # type: weakref.WeakSet[File]


class File(io.IOBase):
    """A file as `open` returns it, in text mode with UTF-8.

    What is written to an object is visible to others after `flush` or `close`. A file that is dropped without `close`
    is closed by itself.

    Args:
        name: a local path or a URL.
        mode: as for `open`, its letters in any order: `br+` is `rb+`.
        buffering, encoding, errors, newline: as for `open`; `closefd` and `opener` are ignored.

    Raises:
        OSError: it cannot be opened; for an object this is a `MoxFileRespException`.

    Example:
        >>> with File("obs://bucket/out/log.txt", "w") as file:
        ...     file.write("text")
    """

    _inner = None  # type: Any
    _writes = False

    def __init__(
        self,
        name: "Any",
        mode: str = "r",
        buffering: int = -1,
        encoding: "Optional[str]" = None,
        errors: "Optional[str]" = None,
        newline: "Optional[str]" = None,
        closefd: bool = True,
        opener: "Any" = None,
    ) -> None:
        kind, is_text, plus = _parsed(mode)
        if is_text:
            options = {"encoding": encoding or "utf-8", "errors": errors, "newline": newline}
            _as_text(io.BytesIO(), options)  # raises before a file is created
        elif encoding or errors or newline:
            raise ValueError("binary mode takes no encoding, errors or newline")
        self.name = name
        self.mode = kind + ("" if is_text else "b") + plus
        self._pid = os.getpid()
        location = locate(name)
        self._is_local = location.is_local
        self._inner, self._publish = location.open_binary(kind + plus)
        if is_text:
            self._inner = _as_text(self._inner, options)
        self._reads, self._writes = kind == "r" or bool(plus), kind != "r" or bool(plus)
        self._is_changed = kind in "wax"
        if self._writes:
            _writers.add(self)

    # --- reading

    def read(self, n: "Optional[int]" = -1) -> "Any":
        """Read up to `n` characters or bytes, by default all."""
        return self._readable().read(-1 if n is None else n)

    def readline(self, size: "Optional[int]" = -1) -> "Any":
        """Read a line; empty at the end."""
        return self._readable().readline(-1 if size is None else size)

    def readlines(self, sizeint: "Optional[int]" = -1) -> "list[Any]":
        """Read lines until their size is reached, by default all."""
        return self._readable().readlines(-1 if sizeint is None else sizeint)  # type: ignore[no-any-return]

    def readinto(self, buffer: "Any") -> int:
        """Read bytes into a buffer; returns how many."""
        return self._readable().readinto(buffer)  # type: ignore[no-any-return]

    def read1(self, n: int = -1) -> bytes:
        """Read up to `n` bytes."""
        return self._readable().read1(n)  # type: ignore[no-any-return]

    def __next__(self) -> "Any":
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def next(self) -> "Any":
        """The next line, as in Python 2."""
        return self.__next__()

    # --- writing

    def write(self, data: "Any") -> int:
        """Write text, or in a binary mode bytes; returns how much."""
        file = self._writable()
        self._is_changed = True
        return file.write(data)  # type: ignore[no-any-return]

    def writelines(self, sequence: "Iterable[Any]") -> None:
        """Write several texts; line ends are not added."""
        for data in sequence:
            self.write(data)

    def truncate(self, size: "Optional[int]" = None) -> int:
        """Cut off what is behind a position, by default the current one."""
        file = self._writable()
        self._is_changed = True
        return file.truncate(size)  # type: ignore[no-any-return]

    def flush(self) -> None:
        """Make visible to others what was written so far."""
        if self._inner is None or self._inner.closed or not self._writes or self._pid != os.getpid():
            return
        self._inner.flush()
        if self._is_changed and self._publish is not None:
            self._publish()
        self._is_changed = False

    def close(self) -> None:
        """Write what is left and close the file."""
        if self._inner is None or self.closed:
            return
        if self._writes and self._pid != os.getpid():  # a process that was forked has a copy of what is not written
            _discard(self._inner.fileno())
        try:
            self.flush()
        finally:
            try:
                self._inner.close()
            finally:
                super().close()  # calls `flush`, which has nothing to do any more

    # --- position and properties

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position; returns it. In text mode use values of `tell`."""
        return self._inner.seek(offset, whence)  # type: ignore[no-any-return]

    def tell(self) -> int:
        """The position."""
        return self._inner.tell()  # type: ignore[no-any-return]

    def size(self) -> int:
        """Bytes of the file, with what was written so far."""
        if self._writes:
            self._inner.flush()
        return os.fstat(self._inner.fileno()).st_size

    def seekable(self) -> bool:
        """Whether `seek` works."""
        return self._inner.seekable()  # type: ignore[no-any-return]

    def readable(self) -> bool:
        """Whether it was opened for reading."""
        return self._reads

    def writable(self) -> bool:
        """Whether it was opened for writing."""
        return self._writes

    def fileno(self) -> int:
        """The descriptor of a local file. Raises `io.UnsupportedOperation` for an object."""
        if not self._is_local:
            raise io.UnsupportedOperation("an object in a bucket has no file descriptor")
        return self._inner.fileno()  # type: ignore[no-any-return]

    @property
    def encoding(self) -> "Optional[str]":
        """The encoding in text mode."""
        return getattr(self._inner, "encoding", None)

    def __repr__(self) -> str:
        return f"<File name={self.name!r} mode={self.mode!r}>"

    def _readable(self) -> "Any":
        if not self._reads:
            raise io.UnsupportedOperation("File isn't open for reading")
        return self._inner

    def _writable(self) -> "Any":
        if not self._writes:
            raise io.UnsupportedOperation("File isn't open for writing")
        return self._inner


def _parsed(mode: str) -> "tuple[str, bool, str]":
    """What a mode says: one of `r w a x`, whether it is text, and `+` or nothing."""
    letters = set(mode)
    kind = "".join(letters & set("rwax"))
    if len(letters) != len(mode) or not letters <= set("rwaxbt+") or len(kind) != 1 or {"b", "t"} <= letters:
        raise ValueError(f"invalid mode {mode!r}: it has one of r, w, a and x, and may have b and +")
    return kind, "b" not in letters, "+" if "+" in letters else ""


def _as_text(file: "Any", options: "dict[str, Any]") -> io.TextIOWrapper:
    return io.TextIOWrapper(file, encoding=options["encoding"], errors=options["errors"], newline=options["newline"])


def _discard(descriptor: int) -> None:
    """Let writes to a descriptor of this process have no effect."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, descriptor)
    os.close(null)


def _close_all() -> None:
    for file in list(_writers):
        file.close()


atexit.register(_close_all)
