"""What is read from the machine: /sys made by hand, NVML played by an object with its functions."""

# ruff: noqa: N802  NVML's functions have their own names

import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks import sensors
from benchmarks.sensors import Sensors
from implementations import gpus
from implementations.gpus import Card


@pytest.fixture
def sys_folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, path: str, text: str) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text)


def sample(folder: Path, **more: Any) -> sensors.Sample:
    return Sensors(sys=folder, **more).sample(psutil.Process())


def test_counters_of_this_process_grow_and_belong_to_all(sys_folder: Path) -> None:
    first = sample(sys_folder)
    total = sum(n * n for n in range(300_000))
    second = sample(sys_folder)
    assert total
    assert second.own_s > first.own_s
    assert second.busy_s >= first.busy_s
    assert second.at > first.at


def test_energy_is_read_by_package_in_joules(sys_folder: Path) -> None:
    write(sys_folder, "class/powercap/intel-rapl:0/energy_uj", "2500000\n")
    write(sys_folder, "class/powercap/intel-rapl:0/name", "package-0\n")
    write(sys_folder, "class/powercap/intel-rapl:0:0/energy_uj", "1000000\n")
    write(sys_folder, "class/powercap/intel-rapl:0:0/name", "core\n")  # part of the package
    assert sample(sys_folder).energy_j == {"intel-rapl:0 package-0": 2.5}


def test_energy_that_may_not_be_read_is_absent(sys_folder: Path) -> None:
    write(sys_folder, "class/powercap/intel-rapl:0/name", "package-0\n")
    (sys_folder / "class/powercap/intel-rapl:0/energy_uj").mkdir()  # reading it raises, even for root
    assert sample(sys_folder).energy_j == {}


def test_slow_downs_by_heat_are_summed_over_cores(sys_folder: Path) -> None:
    write(sys_folder, "devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "3\n")
    write(sys_folder, "devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "4\n")
    assert sample(sys_folder).throttled == 7


def test_slow_downs_that_are_not_counted_are_absent(sys_folder: Path) -> None:
    assert sample(sys_folder).throttled is None


# --- NVML ---------------------------------------------------------------------------------


class NVMLError(Exception):
    pass


class Nvml:
    """NVML's functions as far as they are used, over two GPUs."""

    NVMLError = NVMLError
    NVML_CLOCK_SM = 1

    def __init__(self, reasons: int = 0, **broken: bool) -> None:
        self.reasons, self.broken, self.handles = reasons, broken, list[Any]()

    def nvmlInit(self) -> None:
        if self.broken.get("init"):
            raise NVMLError("driver not loaded")

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        self.handles.append(index)
        return index

    def nvmlDeviceGetHandleByUUID(self, name: str) -> str:
        self.handles.append(name)
        return name

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: Any) -> int:
        if self.broken.get("reading"):
            raise NVMLError("GPU is lost")
        return self.reasons

    def nvmlDeviceGetComputeRunningProcesses(self, handle: Any) -> list[Any]:
        return ["a process"]

    def nvmlDeviceGetMemoryInfo(self, handle: Any) -> Any:
        return type("Memory", (), {"used": 2**31, "total": 139 * 2**30})

    def nvmlDeviceGetName(self, handle: Any) -> bytes:
        return b"A GPU"

    def nvmlSystemGetDriverVersion(self) -> str:
        return "570.1"

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: Any) -> int:
        return 700_000  # mW

    def nvmlDeviceGetMaxClockInfo(self, handle: Any, kind: int) -> int:
        if self.broken.get("describing"):
            raise NVMLError("not supported")
        return 1980

    def nvmlDeviceGetClockInfo(self, handle: Any, kind: int) -> int:
        return 1980

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: Any) -> int:
        if self.broken.get("energy"):
            raise NVMLError("not supported")
        return 4500  # mJ


def test_a_gpu_is_read_through_nvml() -> None:
    gpu = sensors.nvml("cuda:0", Nvml())()
    assert gpu == sensors.Gpu(processes=1, used_bytes=2**31, sm_clock_mhz=1980, held_back=False, energy_j=4.5)


@pytest.mark.parametrize(
    ("reasons", "held_back"),
    # idle, power cap: no; slowed by hardware, software's heat, hardware's heat, power brake: yes
    [(0x01, False), (0x04, False), (0x08, True), (0x20, True), (0x40, True), (0x80, True)],
)
def test_heat_and_brakes_hold_a_gpu_back_but_not_idling(reasons: int, held_back: bool) -> None:
    gpu = sensors.nvml("cuda:0", Nvml(reasons))()
    assert gpu is not None
    assert gpu.held_back is held_back


@pytest.mark.parametrize(
    ("device", "visible", "handle"),
    [
        ("cuda:1", "", 1),
        ("cuda:0", "3,2", 3),
        ("cuda:1", "3,2", 2),
        ("cuda:0", "GPU-8f3c", "GPU-8f3c"),
        ("cuda", "", 0),
    ],
)
def test_the_gpu_is_the_one_that_the_framework_sees(
    device: str, visible: str, handle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    library = Nvml()
    sensors.nvml(device, library)
    assert library.handles == [handle]


def test_a_gpu_that_does_not_count_energy_is_read_without() -> None:
    gpu = sensors.nvml("cuda:0", Nvml(energy=True))()
    assert gpu is not None
    assert gpu.energy_j is None


@pytest.mark.parametrize("broken", ["init", "reading"])
def test_an_unreadable_nvml_is_absent(broken: str) -> None:
    assert sensors.nvml("cuda:0", Nvml(**{broken: True}))() is None


def test_a_gpu_is_described_with_its_driver_and_limits() -> None:
    assert sensors.describe_gpu("cuda:0", Nvml()) == {
        "name": "A GPU",
        "driver": "570.1",
        "memory_gib": 139.0,
        "power_limit_w": 700.0,
        "max_sm_clock_mhz": 1980,
    }


@pytest.mark.parametrize("library", [Nvml(init=True), Nvml(describing=True)], ids=["init", "describing"])
def test_a_gpu_that_cannot_be_described_is_absent(library: Nvml) -> None:
    assert sensors.describe_gpu("cuda:0", library) is None


def test_without_nvml_the_driver_names_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)  # as where it is not installed
    monkeypatch.setattr(gpus, "card", lambda device: Card("A GPU", "570.1", 9))
    assert sensors.describe_gpu("cuda:0") == {"name": "A GPU", "driver": "570.1"}


def test_slow_downs_by_power_are_not_heat(sys_folder: Path) -> None:
    write(sys_folder, "devices/system/cpu/cpu0/thermal_throttle/core_power_limit_count", "3\n")
    assert sample(sys_folder).throttled is None


def test_no_gpu_is_looked_for_on_the_cpu() -> None:
    library = Nvml()
    assert sensors.nvml("cpu", library)() is None
    assert library.handles == []
