"""All forms of an OBS path are the same, and none leads out of its bucket."""

from __future__ import annotations

import ntpath
from pathlib import Path
from typing import Any

import pytest

from modelarts._obs.paths import (
    ObsPath,
    bucket_name_problem,
    exists_locally,
    inside_bucket,
    inside_local,
    is_local,
    path_inside,
)
from modelarts._obs.transfer.local_names import can_be_file
from tests.support.cases import case

FORMS = [
    "/bucket/dir/file.txt", "obs://bucket/dir/file.txt", "s3://bucket/dir/file.txt", "OBS://bucket/dir/file.txt",
    "s3:/bucket/dir/file.txt", "obs:/bucket/dir/file.txt", "s3:///bucket/dir/file.txt",
]  # fmt: skip
KEYS = [
    "two words.txt", "it's \"quoted\"", "目录/文件", "a%20b", "a+b", "#1?x=y", "~x", "..a", "a..", "...", "\\",
]  # fmt: skip


def test_all_forms_are_the_same_path():
    for text in FORMS:
        with case(text):
            path = ObsPath.parse(text)

            assert path == ObsPath("bucket", "dir/file.txt")
            assert path.api == "/bucket/dir/file.txt"
            assert path.url == "obs://bucket/dir/file.txt"
            assert path.s3 == "s3://bucket/dir/file.txt"
            assert path.bare == "bucket/dir/file.txt"


@pytest.mark.parametrize("key", KEYS)
def test_keys_are_kept_unchanged(tmp_path: Path, key: str):
    path = ObsPath.parse(f"obs://bucket/{key}")

    assert path.key == key
    assert ObsPath.parse(path.api) == ObsPath.parse(path.s3) == path
    assert (tmp_path / "bucket").resolve() in path.under(tmp_path).resolve().parents


@pytest.mark.parametrize("text", ["/bucket", "/bucket/", "obs://bucket", "s3://bucket/"])
def test_a_bucket_alone_is_its_own_folder(tmp_path: Path, text: str):
    path = ObsPath.parse(text)

    assert path == path.as_dir == ObsPath("bucket", "")
    assert path.name == "bucket"
    assert path.under(tmp_path) == tmp_path / "bucket"


TRAVERSALS = [
    "/bucket/../other/x", "obs://bucket/a/../../x", "s3://bucket/..", "/bucket/a/./b", "/bucket/.", "/../etc/passwd",
    "obs://../x", "/./x", "/bucket/a\0b", "/bu\0cket/a",
]  # fmt: skip


def test_paths_that_lead_out_of_a_bucket_are_errors():
    for text in TRAVERSALS:
        with case(text), pytest.raises(ValueError, match=r"the segments '\.' and '\.\.' and NUL characters are not"):
            ObsPath.parse(text)


def test_two_slashes_without_a_name_between_are_an_error():
    for text, right in [
        ("/bucket/a//b", "obs://bucket/a/b"), ("obs://bucket//a", "obs://bucket/a"),
        ("s3://bucket/a///", "obs://bucket/a/"), ("/bucket//", "obs://bucket/"),
    ]:  # fmt: skip
        with case(text), pytest.raises(ValueError, match=f"between two slashes there must be a name; write {right}$"):
            ObsPath.parse(text)


NO_OBS_PATHS = ["", "bucket/key", "./x", "file:///x", "http://bucket/x", "obs:bucket/x", " /b/x", "C:\\x"]


def test_the_error_for_an_invalid_path_says_how_paths_are_written():
    for text in NO_OBS_PATHS:
        with case(text), pytest.raises(ValueError, match="written /bucket/key, obs://bucket/key or s3://bucket/key"):
            ObsPath.parse(text)


def test_a_path_without_a_bucket_is_an_error():
    for text in ["/", "//", "//key", "obs://", "s3:///", "obs:////key"]:
        with case(text), pytest.raises(ValueError, match="names no bucket"):
            ObsPath.parse(text)


def test_other_types_than_text_are_errors():
    for thing in [None, 5, Path("/bucket/x"), b"/bucket/x"]:
        with case(thing), pytest.raises(TypeError):
            ObsPath.parse(thing)


def test_a_folder_may_be_written_without_its_slash():
    for text, as_dir, name in [("/b/a/c", "a/c/", "c"), ("/b/a/c/", "a/c/", "c"), ("/b/c", "c/", "c")]:
        with case(text, as_dir, name):
            path = ObsPath.parse(text)

            assert path.as_dir.key == as_dir
            assert path.as_dir.as_dir == path.as_dir
            assert path.name == path.as_dir.name == name
            assert (path / "x.txt").key == f"{as_dir}x.txt"


def test_a_folder_contains_only_paths_below_it():
    for folder, other, inside in [
        ("/b/src/", "/b/src/train.py", True),
        ("/b/src", "/b/src/a/train.py", True),
        ("/b/", "/b/train.py", True),
        ("/b/src", "/b/srcs/train.py", False),
        ("/b/src", "/b/src.py", False),
        ("/b/src", "/b/train.py", False),
        ("/b/src", "/c/src/train.py", False),
    ]:  # fmt: skip
        with case(folder, other, inside):
            assert ObsPath.parse(folder).contains(ObsPath.parse(other)) is inside


def test_good_bucket_names_pass():
    for name in ["abc", "a" * 63, "my-bucket.2", "0-0", "a-1.b", "10.0.0.1.2", "10.0.1"]:
        with case(name):
            assert bucket_name_problem(name) == ""


BAD_NAMES = [
    "ab", "a" * 64, "Bucket", "my_bucket", "-bucket", "bucket-", ".bucket", "a..b", "a/b", "桶桶桶", "abc\n", "",
    "a-.b", "a.-b", "10.0.0.1",
]  # fmt: skip


def test_invalid_bucket_names_are_reported_with_the_rule():
    for name in BAD_NAMES:
        with case(name):
            assert "3 to 63 lower-case letters" in bucket_name_problem(name)


# --- local paths


def test_relative_texts_and_path_objects_are_local():
    for path in ["src", "./src", "../src", "~/src", "", Path("/abs/src"), Path("src")]:
        with case(path):
            assert is_local(path)


def test_paths_with_a_leading_slash_or_a_scheme_are_in_a_bucket():
    for path in ["/bucket/src", "obs://bucket", "s3:/bucket/x", "S3://bucket"]:
        with case(path):
            assert not is_local(path)


def test_a_local_path_exists_in_the_working_directory_and_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "it's 目录").mkdir()
    (tmp_path / "user home" / "code").mkdir()

    assert [exists_locally(path) for path in ("it's 目录", "~/code", Path("user home"))] == [True] * 3
    assert [exists_locally(path) for path in ("", "code", "~nobody-of-that-name/x", "a\0b")] == [False] * 4


INSIDE = [
    ("src", "src/train.py", "train.py"),
    ("src", "train.py", "train.py"),
    ("./src/", "src/./deep/../train.py", "train.py"),
    ("src", "deep/train.py", "deep/train.py"),
    ("~/src", "~/src/train.py", "train.py"),
    ("src", "{cwd}/src/train.py", "train.py"),
    (".", "train.py", "train.py"),
    ("src", "src", ""),
    ("src", "../train.py", None),
    ("src", "{cwd}/train.py", None),
    ("src", "..hidden.py", "..hidden.py"),
    ("/bucket/src/", "train.py", "train.py"),
    ("/bucket/src/", "deep/../train.py", "train.py"),
    ("/bucket/src/", ".", ""),
    ("/bucket/src/", "../train.py", None),
    ("/bucket/src/", "{cwd}/train.py", None),
]


@pytest.mark.parametrize(("folder", "file", "inside"), INSIDE)
def test_a_file_is_found_in_its_folder_however_both_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, file: str, inside: Any
):
    monkeypatch.chdir(tmp_path)

    assert path_inside(folder, Path(file.format(cwd=tmp_path))) == inside


# --- Windows


WINDOWS_PATHS = ["C:\\data\\x", "C:/data/x", "c:x", "data\\x", ".\\data", "..\\x", "\\\\server\\share\\x", "\\data"]


def test_a_path_of_windows_is_local_and_no_obs_path():
    for path in WINDOWS_PATHS:
        with case(path):
            assert is_local(path)
            with pytest.raises(ValueError, match="written /bucket/key, obs://bucket/key or s3://bucket/key"):
                ObsPath.parse(path)


CWD = "C:\\Users\\me"
INSIDE_ON_WINDOWS = [
    ("src", "src\\deep\\train.py", "deep/train.py"),
    ("src", "src/deep/train.py", "deep/train.py"),
    ("src", "SRC\\train.py", "train.py"),
    ("src", "deep\\train.py", "deep/train.py"),
    ("C:\\Users\\me\\src", "src\\train.py", "train.py"),
    ("C:\\data\\x", "C:\\data\\x\\a\\b.py", "a/b.py"),
    ("C:\\data\\x", "C:\\data\\x", ""),
    ("C:\\", "C:\\data\\x.py", "data/x.py"),
    ("C:\\data\\x", "D:\\data\\x\\a.py", None),
    ("D:\\data", "a.py", "a.py"),
    ("C:\\data\\x", "C:\\data\\a.py", None),
    ("\\\\server\\share\\x", "\\\\server\\share\\x\\a\\b.py", "a/b.py"),
    ("\\\\server\\share\\x", "a\\b.py", "a/b.py"),
    ("\\\\server\\share\\x", "\\\\server\\other\\x\\a.py", None),
    ("src", "..\\train.py", None),
]


def test_the_key_of_a_file_on_windows_has_slashes():
    for folder, file, key in INSIDE_ON_WINDOWS:
        with case(folder, file, key):
            assert inside_local(folder, file, CWD, ntpath) == key


def test_a_file_in_a_folder_of_a_bucket_is_relative_on_windows_too():
    for file, key in [
        ("train.py", "train.py"), ("deep\\train.py", "deep/train.py"), ("deep/..\\train.py", "train.py"), (".", ""),
        ("..\\train.py", None), ("C:\\train.py", None), ("C:train.py", None), ("\\train.py", None), ("/train.py", None),
        ("\\\\server\\share\\train.py", None),
    ]:  # fmt: skip
        with case(file, key):
            assert inside_bucket(file, ntpath) == key


def test_a_key_that_names_a_drive_a_folder_or_a_device_is_no_file_on_windows():
    for key in [
        "..\\evil", "a\\b", "C:evil", "C:/evil", "a:stream", "a*", "a?", "<a>", "a|b", 'a"', "a.", "a ", "dir./a",
        "CON", "nul.txt", "dir/com1.log", "lpt\u00b2", "tab\t", "桶" * 256,
    ]:  # fmt: skip
        with case(key):
            assert not can_be_file(key, windows=True)


def test_other_keys_are_files_on_windows():
    for key in ["a", "dir/a.b", "console", "com10", "nulls.txt", "...a", " a", "桶" * 255, "a~b{c}"]:
        with case(key):
            assert can_be_file(key, windows=True)


def test_a_key_may_be_what_only_windows_forbids():
    for key in ["a\\b", "C:evil", "a*", "a.", "CON", "桶" * 85]:
        with case(key):
            assert can_be_file(key, windows=False)
