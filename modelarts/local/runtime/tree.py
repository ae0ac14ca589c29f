"""The tree of a version's nodes, as a member of the spec: what the job has of its own, and what it must still see."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from modelarts.local import layout
from modelarts.local.paths import LocalHome

# Variables that name files or folders which a process needs, wherever they are.
_PATHS = ("HOME", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "PYTHONHOME", "SSL_CERT_FILE", "SSL_CERT_DIR",
          "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # fmt: skip


def tree(
    home: LocalHome, isolation: str, has_image: bool, needed: Iterable[str], writable: Iterable[str],
    created: Iterable[str] = (),
) -> dict[str, Any]:  # fmt: skip
    """The member `tree` of a spec.

    Args:
        home: of the service. The job sees its buckets, and nothing else of it but `needed`.
        isolation: the value of `local_isolation`.
        has_image: whether the version runs an image.
        needed: other paths that the job must see; those that its own folders would hide are read-only for it.
        writable: those of them that it may change.
        created: folders that are created before: what does not exist cannot be shown.
    """
    own = [layout.CACHE, layout.TMP, layout.WORK, layout.JOB_DIR, *([layout.MA_USER] if has_image else [])]
    buckets = [str(home.buckets), *_linked(home.buckets)]
    return {
        "isolation": isolation,
        "own": layout.placed(own, ""),
        "covered": os.path.realpath(_covered(home)),
        "shown": list(dict.fromkeys([*buckets, *map(os.path.abspath, needed)])),
        "writable": [*buckets, *writable],
        "created": [*created],
    }


def named_by(environment: dict[str, str]) -> list[str]:
    """The absolute paths in variables that name files or folders."""
    values = (value for name in _PATHS for value in environment.get(name, "").split(os.pathsep))
    return [value for value in values if value.startswith("/")]


@lru_cache(maxsize=64)
def of_interpreter(program: str) -> list[str]:
    """Where an interpreter is: its prefix, those of the links to it, and packages that are installed in place."""
    found = list(_prefixes(program))
    for prefix in list(found):
        for packages in Path(prefix).glob("lib*/python*/site-packages"):
            found += _editable(packages)
    return found


def _prefixes(program: str) -> Iterator[str]:
    """Of `/opt/env/bin/python`, a link to `/usr/bin/python3.11`: `/opt/env` and `/usr`; of `/x/python`: it and `/x`."""
    for _ in range(40):  # as many links as the kernel follows
        folder = os.path.dirname(os.path.abspath(program))
        yield os.path.dirname(folder) if os.path.basename(folder) == "bin" else folder
        yield program
        if not os.path.islink(program):
            return
        program = os.path.join(folder, os.readlink(program))


def _editable(packages: Path) -> Iterator[str]:
    """The sources of packages that are installed in place (PEP 610), and folders in `.pth` files."""
    for file in packages.glob("*.dist-info/direct_url.json"):
        try:
            origin = json.loads(file.read_text(encoding="utf-8"))
            if origin["dir_info"]["editable"]:
                yield unquote(urlsplit(origin["url"]).path)
        except (OSError, ValueError, LookupError, TypeError):
            continue
    for file in packages.glob("*.pth"):
        try:
            yield from filter(os.path.isabs, file.read_text(encoding="utf-8").splitlines())
        except (OSError, ValueError):
            continue


def _linked(buckets: Path) -> list[str]:
    """The folders elsewhere that are buckets by a link."""
    with os.scandir(buckets) as entries:
        return [os.path.realpath(entry.path) for entry in entries if entry.is_symlink()]


def _covered(home: LocalHome) -> Path:
    """The folder that the job sees empty: `MODELARTS_HOME`, or what is ours in it if it has all of the user's."""
    whole = home.root.parent
    users = os.path.realpath(os.path.expanduser("~"))
    real = os.path.realpath(whole)
    return home.root if real == users or layout.is_below(users, real) else whole
