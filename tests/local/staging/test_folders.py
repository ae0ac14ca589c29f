"""Folders with links, and uploads that were deleted."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

from modelarts.session import Session
from tests.local.staging.files import fill


def test_links_are_followed_except_circular_ones(
    sent: Any, local: Path, caplog: pytest.LogCaptureFixture
):
    fill(local, "common/util.py", "common/.modelartsignore", "common/__pycache__/a.pyc", "src/train.py")
    for name, target in {"common": "../common", "util.py": "../common/util.py", "dead": "nowhere", "me": "."}.items():
        (local / "src" / name).symlink_to(target)

    with caplog.at_level(logging.WARNING):
        assert sent() == ["src/common/util.py", "src/train.py", "src/util.py"]

    assert "src/me is skipped: it is a link to a folder that contains it" in caplog.text


def test_a_folder_that_is_a_link_keeps_its_own_name(sent: Any, local: Path):
    fill(local, "version 3/train.py")
    (local / "src").symlink_to("version 3")

    assert sent(boot_file="src/train.py") == ["src/train.py"]


def test_deleted_uploads_are_uploaded_again(session: Session, sent: Any, local: Path, home: Path):
    fill(local / "src", "train.py")
    sent()
    shutil.rmtree(next((home / "local" / "buckets").glob("modelarts-local-*/uploads")))

    assert sent() == ["src/train.py"]
