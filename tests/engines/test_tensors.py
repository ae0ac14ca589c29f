"""Tensors as hyperparameters: converted in an interpreter that has PyTorch, which has no other package of the SDK."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.engines.conftest import ENGINES

CONVERT = """
import json, torch
from modelarts._submit.value_text import as_text
from modelarts._submit.plain_values import NoText

def text(value):
    try:
        return as_text(value)
    except NoText as error:
        return str(error)

print(json.dumps([text(value) for value in (
    torch.tensor(0.1), torch.tensor(True), torch.tensor([0.1, 0.2], requires_grad=True), torch.arange(2000),
    torch.zeros(2, 1, dtype=torch.bfloat16), torch.nn.Parameter(torch.ones(1)), torch.Size([1, 2]), torch.device("cpu"),
    torch.nn.Linear(1, 1), torch.float32, torch.zeros(10**6), torch.empty(2, device="meta"), torch.eye(2).to_sparse(),
    torch.tensor([float("nan")]),
)]))
"""
TEXTS = ["0.1", "true", "[0.1, 0.2]", json.dumps([*range(2000)]), "[[0.0], [0.0]]", "[1.0]", "[1, 2]", "cpu"]
REFUSED = ["Linear has no text of its own", "dtype has no text of its own", "has 1000000 elements, too many",
           "cannot be written as a list: ", "cannot be written as a list: ", "JSON has no number nan"]  # fmt: skip


def test_tensors_have_the_text_of_their_elements() -> None:
    python, repository = ENGINES / "torch" / "bin" / "python", Path(__file__).parents[2]

    ran = subprocess.run([python, "-c", CONVERT], cwd=repository, capture_output=True, text=True, check=True)

    found = json.loads(ran.stdout)
    assert found[: len(TEXTS)] == TEXTS
    assert [rule in message for rule, message in zip(REFUSED, found[len(TEXTS) :])] == [True] * len(REFUSED)
