"""Wheels of tiny packages, so that tests install something without a network."""

from __future__ import annotations

import zipfile
from pathlib import Path


def wheel(folder: Path, name: str, version: str = "1.0", requires: str = "", program: bool = False) -> Path:
    """Write a wheel whose module has a `VERSION`, and whose program `<name>-program` prints it."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        module = f"VERSION = {version!r}\ndef main(): print({name!r}, VERSION, 'runs')\n"
        archive.writestr(f"{name}/__init__.py", module)
        archive.writestr(f"{info}/METADATA", metadata + (f"Requires-Dist: {requires}\n" if requires else ""))
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        if program:
            archive.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{name}-program = {name}:main\n")
        archive.writestr(f"{info}/RECORD", "")
    return path
