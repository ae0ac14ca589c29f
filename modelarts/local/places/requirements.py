"""What a `pip-requirements.txt` requires, with all files that it names: their content says whether two are the same.

Standard library only: the supervisor uses this module.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import re
from collections.abc import Iterator
from typing import NamedTuple, Optional

NAME = "pip-requirements.txt"
_FILE_OPTION = re.compile(r"(?:-r|--requirement|-c|--constraint)[ =]?\s*(.+)")
_FOLDER_OPTION = re.compile(r"(?:-f|--find-links)[ =]?\s*(.+)")
_EDITABLE = re.compile(r"(?:-e|--editable)[ =]?\s*(.+)")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class Requirements(NamedTuple):
    """The requirements of a code folder."""

    text: str  # of the file
    digest: str  # of the file and all files that it names
    has_source: bool  # it names a folder of source code, which can change, and may be used in place


def read(folder: str) -> Optional[Requirements]:
    """The requirements of a code folder; `None` if there are none.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is no text.
    """
    path = os.path.join(folder, NAME)
    if not os.path.isfile(path):
        return None
    reader = _Reader(folder)
    reader.read(path)
    if not reader.is_needed:
        return None
    return Requirements(_text(path), reader.digest.hexdigest(), reader.has_source)


class _Reader:
    """Reads a file and the files that it names; like pip, those of a line are looked for in the code folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.digest = hashlib.sha256()
        self.is_needed = False
        self.has_source = False
        self.seen: set[str] = set()

    def read(self, path: str) -> None:
        self.add(path)
        for line in _lines(_text(path)):
            if named := _FILE_OPTION.match(line):
                self.file(os.path.join(os.path.dirname(path), named[1]))
            elif named := _FOLDER_OPTION.match(line):
                self.links(os.path.join(self.folder, named[1]))
            elif named := _EDITABLE.match(line):
                self.is_needed = self.has_source = True
            elif not line.startswith("-"):
                self.is_needed = True
                self.requirement(line)

    def file(self, path: str) -> None:
        if not os.path.isfile(path):
            self.is_needed = True  # pip reports it
        elif path not in self.seen:
            self.seen.add(path)
            self.read(path)

    def links(self, folder: str) -> None:
        """Add the files of a folder in which pip looks for packages."""
        if os.path.isdir(folder):
            for name in sorted(os.listdir(folder)):
                if os.path.isfile(os.path.join(folder, name)):
                    self.add(os.path.join(folder, name))

    def requirement(self, line: str) -> None:
        """Add the wheel or archive that a line names, if it names one."""
        named = line.partition(";")[0].partition(" --")[0].strip()
        path = named.rpartition(" @ ")[2].strip()
        path = path[len("file://") :] if path.startswith("file://") else path[5:] if path.startswith("file:") else path
        path = os.path.join(self.folder, re.sub(r"(?<=.)\[[^\]]*\]$", "", path))
        if os.path.isfile(path):
            self.add(path)
        elif os.path.isdir(path) and (os.sep in named or named.startswith(".")):
            self.has_source = True

    def add(self, path: str) -> None:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                self.digest.update(block)
        self.digest.update(b"\0" + os.path.basename(path).encode("utf-8", "surrogateescape") + b"\0")


def _text(path: str) -> str:
    """The text of a file, decoded as pip does. Raises `ValueError` with the next step if that is not possible."""
    with open(path, "rb") as file:
        data = file.read()
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data[len(bom) :].decode(encoding, "replace")
    named = re.match(rb"(?:[^\n]*\n)?#[^\n]*coding[:=]\s*([-\w.]+)", data)
    encoding = named[1].decode() if named else "utf-8"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"line {line} of {os.path.basename(path)} is not {encoding} text"
    except LookupError:
        problem = f"{os.path.basename(path)} names the encoding {encoding}, which does not exist"
    raise ValueError(f"{problem}; save it as UTF-8")


def _lines(text: str) -> Iterator[str]:
    """The lines without comments; those that end in a backslash are joined, and blank ones left out."""
    joined = re.sub(r"\\\r?\n", " ", text)
    for line in joined.splitlines():
        if content := re.sub(r"(^|\s)#.*$", "", line).strip():
            yield content
