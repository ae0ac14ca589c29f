"""Links, empty folders, invalid arguments and modes of files: the same for cloud and local buckets."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelarts._obs.buckets import Buckets
from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts._obs.local.buckets import LocalBuckets
from modelarts._obs.transfer import local_names
from modelarts.errors import ObsError
from tests.support.cases import case
from tests.support.files import common_user, put, tree

Storage = tuple[Buckets, str]


def listed(store: Storage, path: str = "/", recursive: bool = True) -> list[str]:
    obs, root = store
    return [item.url[len(root) + 1 :] for item in obs.list(root + path, recursive=recursive)]


# --- links


def test_links_to_folders_are_followed(store: Storage, local: Path):
    obs, root = store
    put(local / "other" / "deep" / "b.txt")
    put(local / "src" / "a.txt")
    (local / "src" / "link").symlink_to("../other")

    obs.upload_dir("src", root)

    assert listed(store) == ["src/a.txt", "src/link/deep/b.txt"]


def test_a_linked_folder_keeps_the_name_of_the_link(store: Storage, local: Path):
    obs, root = store
    put(local / "other" / "b.txt")
    (local / "link").symlink_to("other")

    obs.upload_dir("link", root)
    obs.upload_dir("link/../link/", f"{root}/again")

    assert listed(store) == ["again/link/b.txt", "link/b.txt"]


def test_the_name_of_a_folder_does_not_depend_on_how_its_path_is_written(
    store: Storage, local: Path, monkeypatch: pytest.MonkeyPatch
):
    obs, root = store
    put(local / "src" / "sub" / "a.txt")
    monkeypatch.chdir(local / "src")

    for number, written in enumerate((".", "../src", "../src/.", "sub/..")):
        obs.upload_dir(written, f"{root}/{number}/")
        assert listed(store, f"/{number}/") == [f"{number}/src/sub/a.txt"], written


def test_circular_links_are_skipped_with_a_warning(
    store: Storage, local: Path, caplog: pytest.LogCaptureFixture
):
    obs, root = store
    put(local / "src" / "sub" / "a.txt")
    (local / "src" / "sub" / "up").symlink_to("..")
    (local / "src" / "self").symlink_to("self")

    obs.upload_dir("src", root)

    assert listed(store) == ["src/sub/a.txt"]
    assert {record.args[0].name for record in caplog.records} == {"up", "self"}
    with pytest.raises(ObsError, match="there is no local folder 'src/self'"):
        obs.upload_dir("src/self", root)


def test_two_links_to_one_folder_are_not_circular(store: Storage, local: Path, caplog: pytest.LogCaptureFixture):
    obs, root = store
    put(local / "other" / "b.txt")
    for name in ("one", "two"):
        put(local / "src" / "a.txt").parent.joinpath(name).symlink_to("../other")

    obs.upload_dir("src", root)

    assert listed(store) == ["src/a.txt", "src/one/b.txt", "src/two/b.txt"] and caplog.records == []


def test_a_folder_linked_into_a_local_bucket_is_listed_and_downloaded(tmp_path: Path, local: Path):
    obs = LocalBuckets(tmp_path / "buckets")
    obs.create_bucket("bucket")
    data = put(local / "real" / "a.txt").parent
    (obs.root / "bucket" / "data").symlink_to(data)
    store = obs, "obs://bucket"

    assert listed(store, recursive=False) == ["data/"] and listed(store) == ["data/a.txt"]
    obs.download_dir("obs://bucket/", "there")
    assert (local / "there" / "bucket" / "data" / "a.txt").read_text() == "text"
    obs.delete("obs://bucket/data", recursive=True)

    assert listed(store) == [] and (data / "a.txt").exists()


@pytest.mark.parametrize("path", ["data/sub", "data/only/f"])
@pytest.mark.parametrize("linked", ["bucket/data", "bucket"])
def test_files_behind_a_link_in_a_local_bucket_are_not_deleted(tmp_path: Path, local: Path, path: str, linked: str):
    obs = LocalBuckets(tmp_path / "buckets")
    real = local / "real"
    for file in ("sub/a.txt", "only/f"):
        put(real / ("data" if linked == "bucket" else "") / file)
    link = obs.root / linked
    link.parent.mkdir(parents=True)
    link.symlink_to(real)
    before = {*real.rglob("*")}

    with pytest.raises(ObsError, match=rf"{path}/? is outside of the bucket: '.*{linked}' is a link to '.*/real'"):
        obs.delete(f"obs://bucket/{path}", recursive=True)

    assert {*real.rglob("*")} == before


# --- folders


def test_a_folder_ceases_to_exist_with_its_last_object(store: Storage, local: Path):
    obs, root = store
    obs.upload_file(put(local / "a.txt"), f"{root}/dir/sub/")

    obs.delete(f"{root}/dir/sub/a.txt")

    assert not obs.exists(f"{root}/dir/sub") and not obs.exists(f"{root}/dir") and obs.list(root) == []


def test_empty_folders_above_a_deleted_one_cease_to_exist(store: Storage, local: Path):
    obs, root = store
    obs.upload_file(put(local / "a.txt"), f"{root}/dir/sub/")
    obs.upload_file(put(local / "a.txt"), f"{root}/other/sub/")

    obs.delete(f"{root}/dir/sub", recursive=True)

    assert listed(store, recursive=False) == ["other/"]


def test_a_folder_that_was_created_is_an_object(store: Storage):
    obs, root = store
    obs.create_directory(f"{root}/a/b/")

    assert [(item.url, item.size, item.is_dir) for item in obs.list(root, recursive=True)] == [
        (f"{root}/a/b/", 0, True)
    ]
    assert listed(store, recursive=False) == ["a/"] and obs.list(f"{root}/a/b") == []
    with pytest.raises(ObsError, match="is not empty"):
        obs.delete_bucket(root[6:])
    obs.delete(f"{root}/a", recursive=True)
    obs.delete_bucket(root[6:])


def test_lists_are_in_the_order_of_keys(store: Storage, local: Path):
    obs, root = store
    for folder in ("a", "a-b", "a.b", "Z"):
        obs.upload_file(put(local / "x"), f"{root}/{folder}/")
    for name in ("a!", "z", "目", "B"):
        obs.upload_file(put(local / name), root)

    assert listed(store) == ["B", "Z/x", "a!", "a-b/x", "a.b/x", "a/x", "z", "目"]
    assert listed(store, recursive=False) == ["B", "Z/", "a!", "a-b/", "a.b/", "a/", "z", "目"]


def test_a_name_that_is_too_long_does_not_exist(store: Storage, local: Path):
    obs, root = store
    name = "x" * 300

    assert not obs.exists(f"{root}/{name}") and not obs.exists(f"{root}/{name}/")
    for call in (
        lambda: obs.list(f"{root}/{name}"), lambda: obs.delete(f"{root}/{name}"),
        lambda: obs.download_file(f"{root}/{name}", "."), lambda: obs.download_dir(f"{root}/{name}", "."),
    ):  # fmt: skip
        with pytest.raises(ObsError, match="there is no"):
            call()


def test_a_local_bucket_says_that_a_name_is_too_long(tmp_path: Path, local: Path):
    obs = LocalBuckets(tmp_path / "buckets")
    obs.create_bucket("bucket")

    with pytest.raises(ObsError, match=r"cannot upload to obs://bucket/x*/a: File name too long"):
        obs.upload_file(put(local / "a"), f"obs://bucket/{'x' * 300}")


def test_uploading_an_empty_folder_needs_the_bucket(store: Storage, local: Path):
    obs, root = store
    (local / "empty" / "deeper").mkdir(parents=True)

    obs.upload_dir("empty", root)
    with pytest.raises(ObsError, match=r"there is no bucket '.*-none'; create it"):
        obs.upload_dir("empty", f"{root}-none")

    assert listed(store) == []


def test_objects_below_the_name_of_another_object_are_skipped(obs: HuaweiBuckets, bucket: str, local: Path):
    for key in ("dir/same", "dir/same-as", "dir/same.txt", "dir/same/inner", "dir/z"):
        obs.client().putContent(bucket, key, b"text")

    with pytest.raises(ObsError, match=r"1 object\(s\) were skipped.*: 'obs://.*/dir/same/inner'\. Copy them"):
        obs.download_dir(f"obs://{bucket}/dir/", "there")

    assert sorted(path.name for path in (local / "there" / "dir").iterdir()) == ["same", "same-as", "same.txt", "z"]


@pytest.mark.parametrize("names", [("A.txt", "a.txt"), ("Dir/a.txt", "dir/A.txt"), ("e\u0301.txt", "\u00e9.txt")])
def test_of_two_objects_that_would_be_one_local_file_the_second_is_skipped(
    store: Storage, local: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, str]
):
    """As on Windows and on a Mac, where it would replace the first."""
    obs, root = store
    for name in (*names, "other.txt"):
        obs.upload_file(put(local / "src" / name, name), f"{root}/dir/{Path(name).parent}".removesuffix("/."))
    monkeypatch.setattr(local_names, "IS_CASE_SENSITIVE", False)

    with pytest.raises(ObsError, match=rf"1 object\(s\) were skipped.*because two files .*'obs://.*/{names[1]}'\."):
        obs.download_dir(f"{root}/dir/", "there")

    assert tree(local / "there" / "dir") == {names[0]: names[0], "other.txt": "other.txt"}
    monkeypatch.undo()


def test_an_object_with_the_name_of_a_part_file_is_skipped(obs: HuaweiBuckets, bucket: str, local: Path):
    for key in ("dir/a.txt", "dir/.modelarts-part-x"):
        obs.client().putContent(bucket, key, b"text")

    with pytest.raises(ObsError, match=r"1 object\(s\) were skipped.*: 'obs://.*/dir/\.modelarts-part-x'\."):
        obs.download_dir(f"obs://{bucket}/dir/", "there")

    assert [path.name for path in (local / "there" / "dir").iterdir()] == ["a.txt"]


def test_an_object_with_the_name_of_a_local_folder_is_skipped(store: Storage, local: Path):
    obs, root = store
    for name in ("a", "b", "c"):
        obs.upload_file(put(local / name), f"{root}/dir")
    inner = put(local / "there" / "dir" / "b" / "inner.txt", "mine")

    with pytest.raises(ObsError, match=r"1 object\(s\) were skipped.*have the same name: '.*/dir/b'\."):
        obs.download_dir(f"{root}/dir", "there")

    assert (local / "there" / "dir" / "a").is_file() and (local / "there" / "dir" / "c").is_file()
    assert inner.read_text() == "mine"


# --- modes


def test_a_new_file_has_the_mode_of_the_umask(store: Storage, local: Path):
    obs, root = store
    obs.upload_file(put(local / "a.txt"), root)
    before = os.umask(0o077)
    try:
        obs.download_file(f"{root}/a.txt", "private.txt")
        os.umask(0o002)
        obs.download_file(f"{root}/a.txt", "shared.txt")
    finally:
        os.umask(before)

    assert (local / "private.txt").stat().st_mode & 0o777 == 0o600
    assert (local / "shared.txt").stat().st_mode & 0o777 == 0o664


def test_a_replaced_file_keeps_its_mode(store: Storage, local: Path):
    obs, root = store
    obs.upload_file(put(local / "a.txt"), root)
    for mode in (0o600, 0o755, 0o440):
        file = put(local / f"{mode}.txt", "older")
        file.chmod(mode)

        obs.download_file(f"{root}/a.txt", file.name)

        assert file.read_text() == "text"
        assert file.stat().st_mode & 0o777 == mode


# --- arguments

Act = Callable[[Buckets, str], Any]
WRONG: list[tuple[Act, str]] = [
    (lambda obs, root: obs.upload_file("a.txt", None), "OBS path None: write it as text"),
    (lambda obs, root: obs.upload_file("a.txt", Path("/bucket/x")), "OBS path PosixPath('/bucket/x'): write it as"),
    (lambda obs, root: obs.list(b"obs://bucket"), "OBS path b'obs://bucket': write it as text"),
    (lambda obs, root: obs.upload_file("a.txt", f"{root}//x"), "between two slashes there must be a name; write obs:"),
    (lambda obs, root: obs.delete(f"{root}/a//b", recursive=True), "between two slashes there must be a name"),
    (lambda obs, root: obs.upload_file(None, root), "upload_file: local path None: write it as text or as a Path"),
    (lambda obs, root: obs.upload_file(5, root), "upload_file: local path 5: write it as text or as a Path"),
    (lambda obs, root: obs.upload_file(b"a.txt", root), "upload_file: local path b'a.txt': write it as text"),
    (lambda obs, root: obs.upload_file("", root), "upload_file: local path '': it is empty; write '.'"),
    (lambda obs, root: obs.upload_dir("", root), "upload_dir: local path '': it is empty; write '.' for the working"),
    (lambda obs, root: obs.download_dir(root, ""), "download_dir: local path '': it is empty"),
    (lambda obs, root: obs.download_file(f"{root}/a.txt", None), "download_file: local path None: write it as text"),
    (lambda obs, root: obs.upload_file("a\0b", root), "upload_file: local path 'a\\x00b': no file can have a NUL"),
    (lambda obs, root: obs.download_file(f"{root}/a.txt", "a\0b"), "download_file: local path 'a\\x00b': no file can"),
    (lambda obs, root: obs.upload_file("a.txt", root, threads="3"), "threads='3': write a whole number from 1"),
    (lambda obs, root: obs.upload_file("a.txt", root, threads=1.5), "threads=1.5: write a whole number from 1"),
    (lambda obs, root: obs.upload_file("a.txt", root, threads=True), "threads=True: write a whole number from 1"),
    (lambda obs, root: obs.download_file(f"{root}/a.txt", ".", threads=0), "threads=0: write a whole number from 1"),
    (lambda obs, root: obs.create_bucket("10.0.0.1"), "bucket name '10.0.0.1': 3 to 63 lower-case letters"),
    (lambda obs, root: obs.create_bucket("a-.b"), "no dot beside a dot or a hyphen, and no IP address"),
    (lambda obs, root: obs.create_bucket(None), "bucket name None: write it as text"),
    (lambda obs, root: obs.delete_bucket(f"{root}/dir"), "write the name of a bucket, without a key"),
    (lambda obs, root: obs.delete_bucket(f"{root[6:]}/dir"), "write the name of a bucket, without a key"),
    (lambda obs, root: obs.delete_bucket(""), "bucket name '': write the name of a bucket"),
    (lambda obs, root: obs.delete_bucket(".."), "bucket name '..': write the name of a bucket"),
]


def test_an_invalid_argument_is_reported_with_its_rule(store: Storage, local: Path):
    obs, root = store
    put(local / "a.txt")

    for act, sentence in WRONG:
        with case(sentence):
            with pytest.raises(ObsError) as caught:
                act(obs, root)

            assert sentence in str(caught.value) and caught.value.error_code == "ModelArts.0104"
            assert listed(store) == [] and [path.name for path in local.iterdir()] == ["a.txt"]


def test_a_file_may_begin_with_a_tilde(store: Storage, local: Path, monkeypatch: pytest.MonkeyPatch):
    """A `Path` does not tell whether its tilde means the home folder: `Path("./~")` is `Path("~")`."""
    obs, root = store
    put(local / "home" / "private")
    monkeypatch.setenv("HOME", str(local / "home"))
    put(local / "~" / "mine")
    put(local / "~$a.docx")

    for path in sorted(Path().glob("~*")):
        obs.upload_dir(path, root) if path.is_dir() else obs.upload_file(path, root)
    obs.upload_dir("./~", f"{root}/text")
    obs.upload_file("~$a.docx", f"{root}/text")
    assert listed(store) == ["text/~$a.docx", "text/~/mine", "~$a.docx", "~/mine"]

    obs.upload_dir("~", f"{root}/home")
    (local / "~" / "mine").unlink()
    (local / "~").rmdir()
    obs.upload_dir(Path("~"), f"{root}/home")
    assert listed(store, "/home/") == ["home/home/private"]


def test_an_empty_folder_is_downloaded_as_an_empty_folder(store: Storage, local: Path):
    obs, root = store
    obs.create_directory(f"{root}/empty")

    obs.download_dir(f"{root}/empty", "there")

    assert list((local / "there").iterdir()) == [local / "there" / "empty"]


def test_only_objects_below_the_name_of_a_local_file_are_skipped(store: Storage, local: Path):
    obs, root = store
    for name in ("a", "b/c/d", "b/e", "f"):
        put(local / "dir" / name)
    obs.upload_dir("dir", root)
    put(local / "there" / "dir" / "b" / "c", "mine")

    with pytest.raises(ObsError, match=r"1 object.*because .* a file and a folder would have the same name"):
        obs.download_dir(f"{root}/dir", "there")

    assert tree(local / "there" / "dir") == {"a": "text", "b/c": "mine", "b/e": "text", "f": "text"}


@pytest.mark.parametrize("call", ["list", "download_dir"])
def test_the_error_for_a_missing_bucket_says_how_to_create_it(store: Storage, local: Path, call: str):
    arguments = [] if call == "list" else [local]

    with pytest.raises(ObsError, match="there is no bucket 'nowhere'; create it with"):
        getattr(store[0], call)("obs://nowhere/dir/", *arguments)


def test_a_bucket_may_be_given_by_its_url(store: Storage):
    obs, root = store

    obs.create_bucket(root)
    obs.delete_bucket(f"{root}/")

    assert not obs.exists(root)


LONG = "x" * 300
UNREACHABLE: list[tuple[Act, str]] = [
    (lambda obs, root: obs.download_file(f"{root}/a.txt", LONG), "cannot download {}/a.txt: File name too long"),
    (lambda obs, root: obs.download_dir(root, LONG), "cannot download {}/a.txt: File name too long"),
    (lambda obs, root: obs.upload_file(LONG, root), f"cannot upload '{LONG}': File name too long"),
    (lambda obs, root: obs.upload_dir(LONG, root), f"cannot upload '{LONG}': File name too long"),
]


def test_an_impossible_local_path_is_an_error(store: Storage, local: Path):
    obs, root = store
    obs.upload_file(put(local / "a.txt"), root)

    for act, sentence in UNREACHABLE:
        with case(sentence):
            with pytest.raises(ObsError) as caught:
                act(obs, root)

            assert str(caught.value).startswith(sentence.format(root))
            assert [path.name for path in local.iterdir()] == ["a.txt"]


def test_a_local_folder_without_permission_is_an_error():
    with common_user() as place:
        closed = place / "closed"
        obs = LocalBuckets(closed / "buckets")
        obs.create_bucket("bucket")
        file = put(closed / "a.txt")
        obs.upload_file(file, "obs://bucket/")
        closed.chmod(0)
        for call in (
            lambda: obs.upload_file(file, "obs://bucket/"),
            lambda: obs.upload_dir(closed / "dir", "obs://bucket/"),
            lambda: obs.download_file("obs://bucket/a.txt", closed),
            lambda: obs.exists("obs://bucket/a.txt"),
            lambda: obs.list("obs://bucket/"),
        ):
            with pytest.raises(ObsError, match=r"Permission denied( \(|$)"):
                call()


def test_what_is_in_the_way_in_a_local_bucket_is_named_as_an_object(tmp_path: Path, local: Path):
    obs = LocalBuckets(tmp_path / "buckets")
    obs.create_bucket("bucket")
    put(local / "a.txt"), put(local / "d" / "x" / "f")
    obs.upload_file("a.txt", "obs://bucket/dir/")
    obs.create_directory("obs://bucket/dir/d/x/f/")
    below = "obs://bucket/dir/a.txt is an object, and nothing can be in it"
    attempts: list[tuple[Callable[[], None], str]] = [
        (lambda: obs.upload_file("a.txt", "obs://bucket/dir/a.txt/"), below),
        (lambda: obs.upload_file("a.txt", "obs://bucket/dir/a.txt/b/c/"), below),
        (lambda: obs.upload_dir("d", "obs://bucket/dir/a.txt/"), below),
        (lambda: obs.create_directory("obs://bucket/dir/a.txt/x/"), below),
        (lambda: obs.upload_dir("d", "obs://bucket/dir/"), "obs://bucket/dir/d/x/f/ is a folder"),
    ]

    for act, sentence in attempts:
        with pytest.raises(ObsError, match=sentence) as caught:
            act()
        assert str(tmp_path) not in str(caught.value)
