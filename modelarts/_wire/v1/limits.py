"""The documented limits, as data; the SDK and the service check them independently."""

from __future__ import annotations

import re

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # config_name modelarts_03_0058, job_name modelarts_03_0045
NAME_RULE = "1 to 64 letters, digits, underscores or hyphens"
VISUALIZATION_NAME = re.compile(r"[A-Za-z0-9_-]{1,20}")  # modelarts_03_0064
VISUALIZATION_NAME_RULE = "1 to 20 letters, digits, underscores or hyphens"
DESCRIPTION_LENGTH = 256  # modelarts_03_0058, modelarts_03_0045
SEARCH_LENGTH = 100  # 64 on some pages, 100 on others: the wider (SEARCHLEN)
IDENTIFIER_RULE = "a whole number from 0, or a text of its digits"  # quoted in some samples (NUMSTR)
PAGES = 65535  # modelarts_03_0046
LOG_LINES = 500  # modelarts_03_0149
LOG_LINES_DEFAULT = 50
LOG_BYTES = 2048  # modelarts_03_0055, either direction
BODY_BYTES = 12 * 1024 * 1024  # modelarts_03_0004
LOG_ORDERS = ("desc", "asc")  # modelarts_03_0149
VISUALIZATION_TYPES = ("tensorboard", "mindinsight")  # modelarts_03_0064
VISUALIZATION_HOURS = 24  # modelarts_03_0064
PARAMETER_NAME = re.compile(r"[^-=\s\x00-\x1f\x7f][^=\s\x00-\x1f\x7f]*")
PARAMETER_NAME_RULE = "usable as --name=value: without a dash at its beginning, '=', blanks and control characters"
# Limits of Linux, which runs the command: of one argument, as `--name=value` in UTF-8, MAX_ARG_STRLEN without its final
# NUL; of all together, ARG_MAX for the usual stack of 8 MiB, without half a MiB for the environment variables.
ARGUMENT_BYTES = 128 * 1024 - 1
ARGUMENTS_BYTES = 1536 * 1024
ARGUMENT_OVERHEAD = 9  # bytes of each argument in the latter: its final NUL and a pointer to it
TOO_LONG = "save it to a file that the script reads, and pass its path"
DATA_SOURCE_TYPES = ("obs", "dataset")
BOOT_SUFFIXES = (".py", ".sh")
BOOT_RULE = "a Python script, .py, or a shell script, .sh"
NOTEBOOK_RULE = f"{BOOT_RULE}; `jupyter nbconvert --to script NOTEBOOK` makes a script of a notebook"


def boot_rule(name: str) -> str:
    """The rule that the name of a boot file breaks; an empty text if it breaks none."""
    if name.lower().endswith(BOOT_SUFFIXES):
        return ""
    return NOTEBOOK_RULE if name.lower().endswith(".ipynb") else BOOT_RULE
