"""A tour through `moxing.file` in the syntax of Python 3.6: `python tour.py FOLDER`, with the bucket `bucket`."""

import io
import json
import os
import pickle
import sys

import moxing as mox

L = sys.argv[1]
B = "obs://bucket"


def raised(call, *args, **options):
    try:
        call(*args, **options)
    except Exception as error:  # noqa: BLE001
        return error
    raise AssertionError("nothing was raised")


# read, write, append
mox.file.write(B + "/d/a.txt", "one\ntwo\n")
mox.file.write(B + "/d/s/b.bin", b"\x00\xff", binary=True)
mox.file.append(B + "/d/a.txt", "三")
mox.file.append_remote(B + "/d/a.txt", dsturl="s3://bucket/d/s/b.bin")
assert mox.file.read(B + "/d/a.txt") == "one\ntwo\n三"
assert mox.file.read("s3:/bucket/d/s/b.bin", binary=True) == b"\x00\xffone\ntwo\n" + "三".encode()
assert isinstance(raised(mox.file.read, B + "/d/s/b.bin"), UnicodeDecodeError)
missing = raised(mox.file.read, B + "/no")
assert isinstance(missing, (mox.file.MoxFileRespException, FileNotFoundError)) and missing.resp.status == 404
assert str(pickle.loads(pickle.dumps(missing))) == str(missing)
assert isinstance(raised(mox.file.read, B + "/no", exist_check=True), mox.file.MoxFileNotExistsException)

# folders
mox.file.make_dirs(B + "/p/q")
mox.file.mk_dir(B + "/p/r")
assert isinstance(raised(mox.file.mk_dir, B + "/none/k"), OSError)
assert mox.file.list_directory(B, recursive=True) == ["d", "d/a.txt", "d/s", "d/s/b.bin", "p", "p/q", "p/r"]
assert [one.path for one in mox.file.scan_dir(B + "/d")] == [B + "/d/a.txt", B + "/d/s"]
assert list(mox.file.walk(B + "/d")) == [(B + "/d", ["s"], ["a.txt"]), (B + "/d/s", [], ["b.bin"])]
assert mox.file.glob(B + "/*/s/*.b?n") == [B + "/d/s/b.bin"]
assert mox.file.stat(B + "/d").is_directory and mox.file.stat(B + "/d/a.txt").st_size == 11
assert (mox.file.get_size(B + "/d"), mox.file.get_size(B + "/d", recursive=True)) == (0, 24)
assert mox.file.exists(B) and mox.file.is_directory(B + "/p/") and not mox.file.exists(B + "/d/a")

# copies
mox.file.copy(B + "/d/a.txt", L + "/new/a.txt")
mox.file.copy_parallel(B + "/d", L + "/d", threads=0, is_processing=False)
mox.file.copy_parallel(L, B + "/up")
mox.file.rename(B + "/up", B + "/moved")
assert mox.file.list_directory(B + "/moved", recursive=True, skip_dir=True) == ["d/a.txt", "d/s/b.bin", "new/a.txt"]
mox.file.remove(B + "/moved")
mox.file.remove(B + "/p", recursive=True)
assert mox.file.list_directory(B) == ["d", "moved"]

# files
with mox.file.File(B + "/o.json", "w") as file:
    json.dump({"名": [1]}, file, ensure_ascii=False)
with mox.file.File(B + "/o.json") as file:
    assert json.load(file) == {"名": [1]}
with mox.file.File(B + "/lines", "bw+") as file:
    file.writelines([b"a\n", b"b\n"])
    assert (file.seek(-2, io.SEEK_END), file.readline(), file.size(), list(file)) == (2, b"b\n", 4, [])
assert isinstance(raised(mox.file.File(B + "/lines").write, "x"), OSError)
for mode in ("br", "ba", "br+", "bw", "ba+", "rb+", "r", "a+", "w+"):
    mox.file.File(B + "/lines", mode).close()
mox.file.set_auth(ak="A", sk="S", server="h:1", path_style=True)
mox.file.set_auth(retry=20)
assert isinstance(raised(lambda: mox.run), NotImplementedError)
print("done", os.path.basename(os.path.dirname(mox.file.__file__)))
