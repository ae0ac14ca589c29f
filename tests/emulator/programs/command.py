"""The command `modelarts`, as a program that `as_on_windows.py` can run."""

from __future__ import annotations

from modelarts.cli.main import main

main()
