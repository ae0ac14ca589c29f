"""Runs commands of `modelarts`, one after the other, as a program that `as_on_windows.py` can run.

Its argument is a JSON list of lists of arguments; it prints the exit code and both outputs of each command as JSON.
"""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout

from modelarts.cli.main import main


def run(arguments: list[str]) -> tuple[object, str, str]:
    sys.argv[1:] = arguments
    with redirect_stdout(io.StringIO()) as output, redirect_stderr(io.StringIO()) as errors:
        try:
            main()
            code: object = 0
        except SystemExit as end:
            code = end.code or 0
    return code, output.getvalue(), errors.getvalue()


print(json.dumps([run(arguments) for arguments in json.loads(sys.argv[1])]))
