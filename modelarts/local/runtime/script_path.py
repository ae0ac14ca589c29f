"""The folder on the path of jobs that has `moxing`; nothing else is in it."""

from __future__ import annotations

from pathlib import Path

SCRIPT_PATH = str(Path(__file__).with_name("path"))
