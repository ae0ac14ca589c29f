"""The README as package indexes show it; all other metadata is in setup.cfg."""

import configparser
import re
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent


def long_description() -> str:
    """The README with links to the pages of the repository: an index has no such files beside it."""
    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "setup.cfg", encoding="utf-8")
    urls = dict(re.findall(r"(\w+) = (\S+)", metadata["metadata"]["project_urls"]))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.sub(r"\]\((?![a-z]+:|#)", f"]({urls['Source']}/blob/main/", readme)


setup(long_description=long_description(), long_description_content_type="text/markdown")
