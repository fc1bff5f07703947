"""``polysched machine`` shows processors and refuses names it does not know."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from polysched.cli import main


def test_named_gpu_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["machine", "--gpu", "a100-40gb"]) == 0
    text = capsys.readouterr().out
    assert "a100-40gb, sm_80, 108 SMs at 1.41 GHz" in text
    assert "312 fp16, 156 tf32, 19 fp64" in text


def test_json_of_a_machine_with_a_gpu_is_read_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["machine", "--gpu", "h200", "--json"]) == 0
    path = tmp_path / "machine.json"
    path.write_text(capsys.readouterr().out)
    assert main(["machine", "--machine", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gpu"]["name"] == "h200"


def test_unknown_gpu_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["machine", "--gpu", "h1000"]) == 1
    assert "known are v100, a100-40gb" in capsys.readouterr().err


def test_measured_bandwidth_of_caches_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["machine", "--gpu", "h200", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    rates = {"level": 3, "read_bytes_per_second": 2 << 30,
             "update_bytes_per_second": 1 << 30, "read_all_bytes_per_second": 5 << 30,
             "update_all_bytes_per_second": 3 << 30}  # fmt: skip
    data["cpu"]["cache_rates"] = [rates]
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(data))
    assert main(["machine", "--machine", str(path)]) == 0
    text = capsys.readouterr().out
    assert "2.0 GiB/s read, 1.0 updated per thread; 5.0, 3.0 all cores" in text
