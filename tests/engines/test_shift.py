"""`shift` with real PyTorch: in whatever order they come, and in the workers of a data loader."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from modelarts.local.runtime.script_path import SCRIPT_PATH
from tests.engines.conftest import ENGINES
from tests.support.files import put

PROGRAM = """
{first}
import os, pathlib
{second}

class Data(torch.utils.data.Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, place):
        return int(os.path.exists(("obs://bucket/m/a.pth", "obs://bucket/none")[place]))

def main():
    model = torch.nn.Linear(2, 1)
    for url in ("s3://bucket/m/a.pth", "obs://bucket/m/a.pth", pathlib.Path("obs://bucket/m/b.pth")):
        torch.save(model.state_dict(), url)
        model.load_state_dict(torch.load(url))
    torch.save({{"a": 1}}, "obs://bucket/m/old.pth", _use_new_zipfile_serialization=False)
    assert torch.load("obs://bucket/m/old.pth") == {{"a": 1}}
    with open("obs://bucket/m/c.pth", "wb") as file:
        torch.save({{"b": 2}}, file)
    assert torch.load("obs://bucket/m/c.pth") == {{"b": 2}}
    scripted = torch.jit.script(model)
    torch.jit.save(scripted, "obs://bucket/m/d.pt")
    scripted.save("obs://bucket/m/e.pt")
    row = torch.ones(1, 2)
    assert torch.jit.load("obs://bucket/m/d.pt")(row) == torch.jit.load("obs://bucket/m/e.pt")(row) == model(row)
    torch.save({{"a": 1}}, "local.pth")
    assert torch.load("local.pth") == {{"a": 1}}
    loader = torch.utils.data.DataLoader(Data(), num_workers=1, multiprocessing_context="{method}")
    print([batch.tolist() for batch in loader])

if __name__ == "__main__":
    main()
"""
SHIFT = "import moxing as mox\nmox.file.shift('os', 'mox')"
IMPORT = "import torch"


@pytest.mark.parametrize(
    ("first", "second", "method"), [(SHIFT, IMPORT, "spawn"), (IMPORT, SHIFT, "fork")], ids=["shift", "torch"]
)
def test_torch_saves_to_and_loads_from_buckets(tmp_path: Path, first: str, second: str, method: str) -> None:
    (tmp_path / "local" / "buckets" / "bucket").mkdir(parents=True)
    program = put(tmp_path / "train.py", PROGRAM.format(first=first, second=second, method=method))
    environment = {**os.environ, "PYTHONPATH": SCRIPT_PATH, "MODELARTS_MODE": "local", "MODELARTS_HOME": str(tmp_path)}

    done = subprocess.run(
        [str(ENGINES / "torch" / "bin" / "python"), str(program)], cwd=tmp_path, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.stdout == "[[1], [0]]\n", done.stderr
    assert (tmp_path / "local" / "buckets" / "bucket" / "m" / "a.pth").is_file()
