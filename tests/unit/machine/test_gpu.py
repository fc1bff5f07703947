"""A graphics processor is named, read from JSON, or found through its driver."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from polysched.base import PolyschedError
from polysched.machine import Gpu, Machine, known_gpus, probe_cpu, probe_gpu


def test_known_ones_have_their_published_peaks() -> None:
    """TFLOP/s in float, double, fp16 on tensor cores, as the data sheets print them."""
    published = {
        "v100": (15.7, 7.8, 125),
        "a100-40gb": (19.5, 9.7, 312),
        "a100-80gb": (19.5, 9.7, 312),
        "h100": (66.9, 33.5, 990 * 1.98 / 1.83),  # the sheet's tensor clock is lower
        "h200": (66.9, 33.5, 990 * 1.98 / 1.83),
    }
    assert [gpu.name for gpu in known_gpus()] == list(published)
    for name, expected in published.items():
        gpu = Gpu.named(name)
        rates = (
            gpu.fma_fp32_per_cycle,
            gpu.fma_fp64_per_cycle,
            gpu.tensor_fp16_per_cycle,
        )
        found = [2 * gpu.n_sms * gpu.clock_hz * rate / 1e12 for rate in rates]
        assert found == pytest.approx(expected, rel=0.015)


def test_every_known_one_names_its_sources() -> None:
    assert all(gpu.sources for gpu in known_gpus())


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("H200", "h200"),
        ("NVIDIA H200", "h200"),
        ("A100 80GB", "a100-80gb"),
        ("Tesla V100-SXM2-32GB", "v100"),
    ],
)
def test_spelling_is_free(spelling: str, name: str) -> None:
    assert Gpu.named(spelling).name == name


def test_what_is_based_on_another_takes_the_rest_from_it() -> None:
    h100, h200 = Gpu.named("h100"), Gpu.named("h200")
    assert h200.memory_bytes_per_second == 4.8e12
    assert (h200.n_sms, h200.l2_bytes) == (h100.n_sms, h100.l2_bytes)
    assert h200.key != h100.key


def test_unknown_name_lists_the_known_and_the_close() -> None:
    with pytest.raises(PolyschedError, match="known are v100, a100-40gb") as caught:
        Gpu.named("a100")
    assert caught.value.hint == "did you mean a100-40gb or a100-80gb?"


def test_survives_json(tmp_path: Path) -> None:
    gpu = Gpu.named("a100-80gb")
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(gpu.to_json()))
    assert Gpu.find(str(path)) == gpu


def test_users_file_may_name_what_differs_only(tmp_path: Path) -> None:
    path = tmp_path / "pcie.json"
    path.write_text('{"based_on": "h100", "name": "h100-pcie", "n_sms": 114}')
    assert Gpu.load(path).n_sms == 114
    assert Gpu.load(path).registers_per_sm == 65536


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": "x"}, "the GPU has no field 'architecture'"),
        ({"based_on": "h100", "sms": 3}, "unknown GPU field 'sms'"),
        ({"based_on": "h9000"}, "based on 'h9000'; known are a100-40gb"),
        ({"based_on": "h100", "n_sms": 0}, "'n_sms' is 0, expected an integer, more"),
        ({"based_on": "h100", "n_sms": 1.5}, "'n_sms' is 1.5, expected an integer"),
        ({"based_on": "h100", "clock_hz": "2G"}, "'clock_hz' is '2G', expected a num"),
        ({"based_on": "h100", "architecture": "gfx90a"}, "'architecture' is 'gfx90a'"),
        ({"based_on": "h100", "sources": "me"}, "'sources' is 'me', expected texts"),
    ],
)
def test_bad_json_is_refused(data: dict[str, object], message: str) -> None:
    with pytest.raises(PolyschedError, match=message):
        Gpu.from_json(data)


@pytest.mark.parametrize(
    ("text", "message"), [("{", "is not JSON"), ("[]", "holds no JSON object")]
)
def test_bad_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(PolyschedError, match=message):
        Gpu.load(path)
    with pytest.raises(PolyschedError, match="cannot read the GPU file"):
        Gpu.find(str(tmp_path / "absent.json"))


def test_machine_keeps_its_gpu_in_json(tmp_path: Path) -> None:
    machine = Machine(probe_cpu(), gpu=Gpu.named("v100"))
    machine.save(tmp_path / "machine.json")
    assert Machine.load(tmp_path / "machine.json").gpu == machine.gpu
    assert machine.limited(1).gpu == machine.gpu
    bare = replace(machine, gpu=None)
    assert "gpu" not in bare.to_json()
    assert Machine.from_json(bare.to_json()).gpu is None


def test_machine_file_may_name_its_gpu() -> None:
    data = {**Machine(probe_cpu()).to_json(), "gpu": "h100"}
    assert Machine.from_json(data).gpu == Gpu.named("h100")
    with pytest.raises(PolyschedError, match="'gpu' is 3, expected an object"):
        Machine.from_json({**data, "gpu": 3})


def answering(path: Path, answer: str, status: int = 0) -> str:
    """A tool that answers so, whatever it is asked."""
    tool = path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\necho '{answer}'\nexit {status}\n")
    tool.chmod(0o755)
    return str(tool)


def test_driver_names_a_known_one(tmp_path: Path) -> None:
    tool = answering(tmp_path, "NVIDIA H200, 9.0, 143771, 1755")
    assert probe_gpu(tool) == replace(Gpu.named("h200"), clock_hz=1.755e9)


def test_clock_that_the_driver_does_not_give_is_the_known_one(tmp_path: Path) -> None:
    tool = answering(tmp_path, "NVIDIA H200, 9.0, 143771, [N/A]")
    assert probe_gpu(tool) == Gpu.named("h200")


def test_relative_of_a_known_one_has_its_figures(tmp_path: Path) -> None:
    tool = answering(tmp_path, "NVIDIA A100-PCIE-40GB, 8.0, 40960, 1410")
    gpu = probe_gpu(tool)
    assert gpu is not None
    assert (gpu.name, gpu.memory_bytes) == ("NVIDIA A100-PCIE-40GB", 40 << 30)
    assert gpu.memory_bytes_per_second == 1555e9


def test_architecture_that_is_not_known_is_an_error(tmp_path: Path) -> None:
    tool = answering(tmp_path, "Quadro K600, 3.0, 1024, 875")
    with pytest.raises(PolyschedError, match="unknown architecture sm_30; known are"):
        probe_gpu(tool)


def test_a_users_description_stands_for_what_no_file_describes(tmp_path: Path) -> None:
    tool = answering(tmp_path, "NVIDIA L4, 8.9, 23034, 2040")
    small = replace(Gpu.named("h100"), name="small", architecture="sm_89")
    gpu = probe_gpu(tool, described=(small,))
    assert gpu is not None
    assert (gpu.architecture, gpu.n_sms) == ("sm_89", small.n_sms)
    assert (gpu.name, gpu.memory_bytes) == ("NVIDIA L4", 23034 << 20)
    named = replace(small, device_names=("NVIDIA L4",))
    assert probe_gpu(tool, described=(named,)) == replace(named, clock_hz=2.04e9)


def test_no_driver_is_no_gpu(tmp_path: Path) -> None:
    assert probe_gpu(str(tmp_path / "absent")) is None
    assert probe_gpu(answering(tmp_path, "NVIDIA-SMI has failed", 9)) is None
    assert probe_gpu(answering(tmp_path, "No devices were found")) is None
