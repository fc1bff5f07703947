"""A machine is described from system files alone, and survives JSON."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from polysched.base import PolyschedError
from polysched.machine import (
    CacheRate,
    Gpu,
    Machine,
    calibration_path,
    probe_cpu,
    total_memory_bytes,
)


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Four logical processors on two cores, as Linux describes them."""
    write(
        tmp_path,
        "proc/cpuinfo",
        "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nflags\t: fpu sse2 avx fma"
        " avx2\n\nprocessor\t: 1\nmodel name\t: other\n",
    )
    cpu = "sys/devices/system/cpu"
    write(tmp_path, f"{cpu}/online", "0-2,3")
    for n in range(4):
        siblings = "0,2" if n % 2 == 0 else "1,3"
        write(tmp_path, f"{cpu}/cpu{n}/topology/thread_siblings_list", siblings)
    levels = (("1", "Data", "48K"), ("1", "Instruction", "32K"), ("2", "Unified", "2M"))
    for k, (level, kind, size) in enumerate(levels):
        index = f"{cpu}/cpu0/cache/index{k}"
        write(tmp_path, f"{index}/level", level)
        write(tmp_path, f"{index}/type", kind)
        write(tmp_path, f"{index}/size", size)
        write(tmp_path, f"{index}/coherency_line_size", "64")
    return tmp_path


def test_recorded_system_is_described(recorded: Path) -> None:
    cpu = probe_cpu(recorded)
    assert (cpu.n_cores, cpu.n_threads) == (2, 4)
    assert (cpu.l1_bytes, cpu.l2_bytes, cpu.l3_bytes) == (48 << 10, 2 << 20, 0)
    assert cpu.simd_bits == 256
    assert cpu.isa == ("sse2", "avx", "fma", "avx2")
    assert cpu.frequency_hz == 2.0e9
    assert cpu.flops_per_second == 2.0e9 * 4 * 2 * 2
    assert cpu.vector_elements(8) == 4


def test_a_guest_has_its_share_of_the_last_cache(recorded: Path) -> None:
    index = "sys/devices/system/cpu/cpu0/cache/index3"
    write(recorded, f"{index}/level", "3")
    write(recorded, f"{index}/type", "Unified")
    write(recorded, f"{index}/size", "32M")
    assert probe_cpu(recorded).l3_bytes == 32 << 20
    write(recorded, f"{index}/size", "260M")
    assert probe_cpu(recorded).l3_bytes == 128 << 20
    write(recorded, "sys/fs/cgroup/cpu.max", "150000 100000")
    assert probe_cpu(recorded).l3_bytes == 64 << 20


def test_container_quota_limits_threads(recorded: Path) -> None:
    write(recorded, "sys/fs/cgroup/cpu.max", "150000 100000")
    cpu = probe_cpu(recorded)
    assert (cpu.n_cores, cpu.n_threads) == (2, 2)


def test_empty_system_still_gives_a_cpu(tmp_path: Path) -> None:
    cpu = probe_cpu(tmp_path)
    assert cpu.n_cores >= 1
    assert cpu.l1_bytes > 0
    assert cpu.frequency_hz is None
    assert cpu.flops_per_second > 0


def test_this_machine_is_detected() -> None:
    machine = Machine.detect(calibrated=False)
    assert machine.origin == "detected"
    assert machine.cpu.n_threads >= machine.cpu.n_cores >= 1
    assert total_memory_bytes() > 1 << 20


def test_key_ignores_ceilings_but_not_sizes(recorded: Path) -> None:
    cpu = probe_cpu(recorded)
    assert replace(cpu, flops_per_second=1.0, frequency_hz=None).key == cpu.key
    assert replace(cpu, l2_bytes=1).key != cpu.key
    assert len(cpu.key) == 10


def test_key_tells_graphics_processors_apart(recorded: Path) -> None:
    plain = Machine(probe_cpu(recorded))
    named = [replace(plain, gpu=Gpu.named(n)).key for n in ("a100-40gb", "h200")]
    assert len({plain.key, *named}) == 3
    assert plain.key == plain.cpu.key


def test_json_round_trip(recorded: Path, tmp_path: Path) -> None:
    machine = Machine(probe_cpu(recorded))
    assert Machine.from_json(machine.to_json()) == machine
    machine.save(tmp_path / "deep" / "m.json")
    loaded = Machine.load(tmp_path / "deep" / "m.json")
    assert loaded.cpu == machine.cpu
    assert loaded.origin.endswith("m.json")


def test_stored_calibration_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    plain = Machine.detect()
    better = Machine(replace(plain.cpu, flops_per_second=1.25e9))
    better.save(calibration_path(plain.cpu))
    assert Machine.detect().cpu.flops_per_second == 1.25e9
    assert Machine.detect().origin == "calibrated"
    assert Machine.detect(calibrated=False).cpu == plain.cpu


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "no JSON object"),
        ('{"cpu": {"colour": 1}}', "unknown machine field 'colour'"),
        ('{"cpu": {"name": "x"}}', "has no field 'n_cores'"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(PolyschedError, match=message):
        Machine.load(path)


def test_bad_number_is_refused(recorded: Path) -> None:
    data = probe_cpu(recorded).to_json()
    with pytest.raises(PolyschedError, match="'l1_bytes' is -1"):
        Machine.from_json({**data, "l1_bytes": -1})


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolyschedError, match="cannot read the machine file"):
        Machine.load(tmp_path / "none.json")


def test_limited_machine_has_as_many_cores_as_threads(recorded: Path) -> None:
    machine = Machine(probe_cpu(recorded), origin="calibrated")
    n_cores = machine.cpu.n_cores
    assert machine.limited(n_cores) is machine
    one = machine.limited(1)
    assert (one.cpu.n_cores, one.cpu.n_threads, one.origin) == (1, 1, "calibrated")
    assert machine.limited(n_cores + 5).cpu.n_cores == n_cores


RATES = (CacheRate(2, 9e10, 4e10, 18e10, 8e10), CacheRate(3, 2e10, 1e10, 4e10, 2e10))


def test_bandwidth_of_caches_survives_json() -> None:
    cpu = replace(Machine.detect(calibrated=False).cpu, cache_rates=RATES)
    again = Machine.from_json(Machine(cpu).to_json()).cpu
    assert again == cpu
    assert again.cache_rate(3) == RATES[1]


def test_machine_files_need_no_bandwidth_of_caches() -> None:
    cpu = Machine.detect(calibrated=False).cpu
    assert "cache_rates" not in cpu.to_json()
    assert Machine.from_json(cpu.to_json()).cpu.cache_rate(3) is None


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"level": 2}, "expected an object with: level, read_bytes_per_second"),
        ({**asdict(RATES[0]), "level": 4}, "level 4, expected level 2 or 3"),
        ({**asdict(RATES[0]), "read_bytes_per_second": 0}, "is 0, expected a number"),
        (asdict(RATES[1]), "has a level twice"),
    ],
)
def test_wrong_bandwidth_of_caches_is_refused(
    entry: dict[str, object], said: str
) -> None:
    data = Machine.detect(calibrated=False).cpu.to_json()
    data["cache_rates"] = [entry, asdict(RATES[1])]
    with pytest.raises(PolyschedError, match=said):
        Machine.from_json(data)


def test_bandwidth_of_caches_is_a_list() -> None:
    data = {**Machine.detect(calibrated=False).cpu.to_json(), "cache_rates": 7}
    with pytest.raises(PolyschedError, match="'cache_rates' is 7, expected a list"):
        Machine.from_json(data)
