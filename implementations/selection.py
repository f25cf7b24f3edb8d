"""Which frameworks and which device a command works with: what was asked for, against what is there."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from implementations.commandline import ROOT, Notice
from implementations.errors import UserError
from implementations.network import ADAPTERS, LABEL, known, place
from implementations.processes import ChildFailedError, Launcher, missing

DRIVER_FILES = (Path("/proc/driver/nvidia/version"), Path("/dev/nvidiactl"), Path("/dev/dxg"))
TOX = ROOT / ".tox"
CUDA_ENVIRONMENTS = {
    "pytorch": "pytorch-cuda",
    "keras-torch": "pytorch-cuda",
    "keras-tensorflow": "keras-cuda",
    "keras-jax": "keras-jax-cuda",
    "paddle": "paddle-cuda",
    "onnxruntime": "onnxruntime-cuda",
}
DEVICES = ("auto", "cpu", "cuda")
PATIENCE_S = 120.0  # a CUDA build is imported in seconds from a warm disk


def frameworks(
    requested: Sequence[str] | None,
    launcher: Launcher,
    notice: Notice,
    default: Collection[str] = tuple(ADAPTERS),
) -> list[str]:
    """Names in the table's order; without a request all of ``default`` that are installed.

    ``keras`` means every Keras backend that is installed, ``pytorch`` all of its builds that have a label.
    ``UserError`` for an unknown name, and for one asked for that is not installed, and where none is.
    """
    every = builds(launcher)
    absent = {name: missing(known(name).packages, launcher.python(name)) for name in every}
    there = [name for name in every if not absent[name]]
    if not requested:
        return _installed(default, there, absent, launcher, notice)
    wanted = {name for item in requested for name in _expanded(item, every, there)}
    for name in wanted.difference(there):
        raise UserError(
            f"the framework {name} is not installed",
            given=f"{launcher.python(name)} without {_shown(absent[name])}",
            allowed=", ".join(there) or "none here",
            todo=f"install it, name its environment with --python {name}=PATH, or leave it out",
        )
    return [name for name in every if name in wanted]


def environments(device: str, folder: Path = TOX) -> dict[str, str]:
    """Interpreters of the CUDA environments that tox has made, by framework; none for ``cpu``.

    Named with ``--python``, another one takes their place.
    """
    if device == "cpu":
        return {}
    pythons = {
        name: folder / environment / "bin" / "python" for name, environment in CUDA_ENVIRONMENTS.items()
    }
    return {name: str(python) for name, python in pythons.items() if python.exists()}


def builds(launcher: Launcher) -> list[str]:
    """Every framework once, by its labels where ``--python`` gave it some."""
    labelled = {known(name).name for name in launcher.pythons if LABEL in name}
    plain = [name for name in ADAPTERS if name not in labelled or name in launcher.pythons]
    return sorted({*plain, *launcher.pythons}, key=place)


def _installed(
    default: Collection[str],
    there: Sequence[str],
    absent: Mapping[str, Sequence[str]],
    launcher: Launcher,
    notice: Notice,
) -> list[str]:
    """What of ``default`` is there; ``notice`` hears of the others."""
    chosen = [name for name in there if known(name).name in default]
    left_out = [name for name in absent if known(name).name in default and name not in there]
    if not chosen:
        raise UserError(
            "no framework is installed, so there is nothing to do",
            given=launcher.python(left_out[0]),
            allowed=", ".join(f"{name} ({_shown(known(name).packages)})" for name in left_out),
            todo="install one, or name its environment with --python FRAMEWORK=PATH",
        )
    for name in left_out:
        notice(f"{name} is left out: {_shown(absent[name])} not installed")
    return chosen


def _shown(packages: Sequence[str]) -> str:
    return f"package{'s' if len(packages) > 1 else ''} {' and '.join(map(repr, packages))}"


def _expanded(name: str, every: Sequence[str], there: Sequence[str]) -> list[str]:
    if name == "keras":
        backends = [build for build in every if build.startswith("keras-")]
        return [backend for backend in backends if backend in there] or backends
    found = [build for build in every if name in (build, known(build).name)]
    if not found:
        known(name)  # complains of an unknown framework
        raise UserError(
            "there is no build of that label",
            given=name,
            allowed=", ".join(every),
            todo=f"name its interpreter with --python {name}=PATH",
        )
    return found


def has_driver() -> bool:
    """Whether this machine has NVIDIA's driver, as far as its files tell."""
    return any(file.exists() for file in DRIVER_FILES)


def device(requested: str, names: Sequence[str], launcher: Launcher, notice: Notice) -> str:
    """``cpu`` or ``cuda:0``; ``auto`` is CUDA only if every framework in ``names`` sees a device."""
    if requested == "cpu":
        return "cpu"
    if requested == "auto" and not has_driver():
        notice("device: cpu, since this machine has no NVIDIA driver and so no framework sees CUDA")
        return "cpu"
    blind = _blind(names, launcher, notice)
    if not blind:
        return "cuda:0"
    if requested == "auto":
        notice(f"device: cpu, since {', '.join(blind)} {'sees' if len(blind) == 1 else 'see'} no CUDA device")
        return "cpu"
    raise UserError(
        f"no CUDA device is seen by {', '.join(blind)}",
        given="--device cuda",
        allowed="a CUDA build of every selected framework, with a driver and a device",
        todo="use --device cpu, leave these frameworks out, or install their CUDA builds (README, 'CUDA')",
    )


def seeing(names: Sequence[str], launcher: Launcher, notice: Notice) -> list[str]:
    """Those of ``names`` that see a CUDA device; ``notice`` hears of the others. All where none does."""
    blind = _blind(names, launcher, notice) if has_driver() else list(names)
    if len(blind) == len(names):
        return list(names)
    for name in blind:
        notice(f"{name} is left out: it sees no CUDA device")
    return [name for name in names if name not in blind]


def _blind(names: Sequence[str], launcher: Launcher, notice: Notice) -> list[str]:
    """Those of ``names`` that see no CUDA device, or cannot even be asked."""
    return [name for name in names if not _devices(name, launcher, notice)]


def _devices(name: str, launcher: Launcher, notice: Notice) -> Sequence[str]:
    try:
        return list(launcher.ask(name, "implementations.child:cuda_devices", {}, PATIENCE_S))
    except ChildFailedError as error:
        notice(f"{name} cannot be asked for CUDA devices: {error}")
        return []
