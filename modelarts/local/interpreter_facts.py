"""What a Python interpreter is built on: `python interpreter_facts.py` prints it as one line of JSON.

Any interpreter of a user runs this file, so its syntax is as old as Python 2.7.
"""

import json
import os
import site
import sys


def facts():
    """The interpreter that runs this: version, folders, and where its packages are, in the order of import."""
    executable = getattr(sys, "_base_executable", None) or sys.executable
    base = getattr(sys, "base_prefix", sys.prefix)
    version = "%d.%d" % sys.version_info[:2]  # noqa: UP031
    if base != sys.prefix and executable.startswith(sys.prefix + os.sep):  # Python 3.6 knows only the link
        executable = os.path.join(base, "bin", "python" + version)
    return {
        "version": version,
        "executable": executable,
        "scripts": os.path.dirname(sys.executable),
        "prefix": sys.prefix,
        "base": base,
        "sites": _sites(in_venv=base != sys.prefix),
        "path": [folder for folder in sys.path if folder],
    }


def _sites(in_venv):
    """The folders of installed packages, also those that do not exist yet."""
    if hasattr(site, "getsitepackages"):  # old versions of virtualenv have a `site` without it
        found = list(site.getsitepackages())
    else:
        found = [folder for folder in sys.path if folder.endswith(("site-packages", "dist-packages"))]
    if site.ENABLE_USER_SITE:
        found.insert(1 if in_venv else 0, site.getusersitepackages())
    return found


if __name__ == "__main__":
    del sys.path[0]  # the folder of this file
    sys.stdout.write("\n" + json.dumps(facts()) + "\n")
