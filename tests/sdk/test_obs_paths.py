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

FORMS = [
    "/bucket/dir/file.txt", "obs://bucket/dir/file.txt", "s3://bucket/dir/file.txt", "OBS://bucket/dir/file.txt",
    "s3:/bucket/dir/file.txt", "obs:/bucket/dir/file.txt", "s3:///bucket/dir/file.txt",
]  # fmt: skip
KEYS = [
    "two words.txt", "it's \"quoted\"", "目录/文件", "a%20b", "a+b", "#1?x=y", "~x", "..a", "a..", "...", "\\",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMS)
def test_all_forms_are_the_same_path(text: str):
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


@pytest.mark.parametrize("text", TRAVERSALS)
def test_paths_that_lead_out_of_a_bucket_are_errors(text: str):
    with pytest.raises(ValueError, match=r"the segments '\.' and '\.\.' and NUL characters are not allowed"):
        ObsPath.parse(text)


@pytest.mark.parametrize(("text", "right"), [
    ("/bucket/a//b", "obs://bucket/a/b"), ("obs://bucket//a", "obs://bucket/a"), ("s3://bucket/a///", "obs://bucket/a/"),
    ("/bucket//", "obs://bucket/"),
])  # fmt: skip
def test_two_slashes_without_a_name_between_are_an_error(text: str, right: str):
    with pytest.raises(ValueError, match=f"between two slashes there must be a name; write {right}$"):
        ObsPath.parse(text)


NO_OBS_PATHS = ["", "bucket/key", "./x", "file:///x", "http://bucket/x", "obs:bucket/x", " /b/x", "C:\\x"]


@pytest.mark.parametrize("text", NO_OBS_PATHS)
def test_the_error_for_an_invalid_path_says_how_paths_are_written(text: str):
    with pytest.raises(ValueError, match="written /bucket/key, obs://bucket/key or s3://bucket/key"):
        ObsPath.parse(text)


@pytest.mark.parametrize("text", ["/", "//", "//key", "obs://", "s3:///", "obs:////key"])
def test_a_path_without_a_bucket_is_an_error(text: str):
    with pytest.raises(ValueError, match="names no bucket"):
        ObsPath.parse(text)


@pytest.mark.parametrize("thing", [None, 5, Path("/bucket/x"), b"/bucket/x"])
def test_other_types_than_text_are_errors(thing: Any):
    with pytest.raises(TypeError):
        ObsPath.parse(thing)


@pytest.mark.parametrize(
    ("text", "as_dir", "name"),
    [("/b/a/c", "a/c/", "c"), ("/b/a/c/", "a/c/", "c"), ("/b/c", "c/", "c")],
)
def test_a_folder_may_be_written_without_its_slash(text: str, as_dir: str, name: str):
    path = ObsPath.parse(text)

    assert path.as_dir.key == as_dir
    assert path.as_dir.as_dir == path.as_dir
    assert path.name == path.as_dir.name == name
    assert (path / "x.txt").key == f"{as_dir}x.txt"


@pytest.mark.parametrize(
    ("folder", "other", "inside"),
    [
        ("/b/src/", "/b/src/train.py", True),
        ("/b/src", "/b/src/a/train.py", True),
        ("/b/", "/b/train.py", True),
        ("/b/src", "/b/srcs/train.py", False),
        ("/b/src", "/b/src.py", False),
        ("/b/src", "/b/train.py", False),
        ("/b/src", "/c/src/train.py", False),
    ],
)
def test_a_folder_contains_only_paths_below_it(folder: str, other: str, inside: bool):
    assert ObsPath.parse(folder).contains(ObsPath.parse(other)) is inside


@pytest.mark.parametrize("name", ["abc", "a" * 63, "my-bucket.2", "0-0", "a-1.b", "10.0.0.1.2", "10.0.1"])
def test_good_bucket_names_pass(name: str):
    assert bucket_name_problem(name) == ""


BAD_NAMES = [
    "ab", "a" * 64, "Bucket", "my_bucket", "-bucket", "bucket-", ".bucket", "a..b", "a/b", "桶桶桶", "abc\n", "",
    "a-.b", "a.-b", "10.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES)
def test_invalid_bucket_names_are_reported_with_the_rule(name: str):
    assert "3 to 63 lower-case letters" in bucket_name_problem(name)


# --- local paths


@pytest.mark.parametrize("path", ["src", "./src", "../src", "~/src", "", Path("/abs/src"), Path("src")])
def test_relative_texts_and_path_objects_are_local(path: Any):
    assert is_local(path)


@pytest.mark.parametrize("path", ["/bucket/src", "obs://bucket", "s3:/bucket/x", "S3://bucket"])
def test_paths_with_a_leading_slash_or_a_scheme_are_in_a_bucket(path: str):
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


@pytest.mark.parametrize("path", WINDOWS_PATHS)
def test_a_path_of_windows_is_local_and_no_obs_path(path: str):
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


@pytest.mark.parametrize(("folder", "file", "key"), INSIDE_ON_WINDOWS)
def test_the_key_of_a_file_on_windows_has_slashes(folder: str, file: str, key: Any):
    assert inside_local(folder, file, CWD, ntpath) == key


@pytest.mark.parametrize(("file", "key"), [
    ("train.py", "train.py"), ("deep\\train.py", "deep/train.py"), ("deep/..\\train.py", "train.py"), (".", ""),
    ("..\\train.py", None), ("C:\\train.py", None), ("C:train.py", None), ("\\train.py", None), ("/train.py", None),
    ("\\\\server\\share\\train.py", None),
])  # fmt: skip
def test_a_file_in_a_folder_of_a_bucket_is_relative_on_windows_too(file: str, key: Any):
    assert inside_bucket(file, ntpath) == key


@pytest.mark.parametrize("key", [
    "..\\evil", "a\\b", "C:evil", "C:/evil", "a:stream", "a*", "a?", "<a>", "a|b", 'a"', "a.", "a ", "dir./a", "CON",
    "nul.txt", "dir/com1.log", "lpt\u00b2", "tab\t", "桶" * 256,
])  # fmt: skip
def test_a_key_that_names_a_drive_a_folder_or_a_device_is_no_file_on_windows(key: str):
    assert not can_be_file(key, windows=True)


@pytest.mark.parametrize("key", ["a", "dir/a.b", "console", "com10", "nulls.txt", "...a", " a", "桶" * 255, "a~b{c}"])
def test_other_keys_are_files_on_windows(key: str):
    assert can_be_file(key, windows=True)


@pytest.mark.parametrize("key", ["a\\b", "C:evil", "a*", "a.", "CON", "桶" * 85])
def test_a_key_may_be_what_only_windows_forbids(key: str):
    assert can_be_file(key, windows=False)
