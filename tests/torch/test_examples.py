"""The examples and the page of the documentation run."""

from __future__ import annotations

import importlib.util
import re
import runpy
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from tests.torch.checking import check_unscheduled  # noqa: E402

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples" / "torch").glob("*.py"))
pytestmark = pytest.mark.cc


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_example(path, tmp_path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    check_unscheduled(example.module(), example.inputs(), tmp_path)


def test_page(capsys, tmp_path):
    text = (ROOT / "docs" / "torch.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    program = tmp_path / "page.py"
    program.write_text("\n".join(blocks))
    runpy.run_path(str(program))
    shown = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    printed = capsys.readouterr().out
    assert shown[0] in printed
    assert "node 'topk', aten.topk.default: this operator is not taken" in printed
