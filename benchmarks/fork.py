"""One fork: a proven case measured in this process, and the fields of its result.

Runs in a child: imports no more than NumPy and safetensors beside the framework that it is handed.
"""

import math
from dataclasses import dataclass
from typing import Any

from benchmarks import machine, measure, plan
from benchmarks.measure import Stepper
from benchmarks.plan import Case, Effort
from benchmarks.results import METHOD_VERSION, SCHEMA_VERSION
from implementations import bounds, certificates
from implementations.network import LABEL, REDUCED_PRECISIONS, Built, Framework, Settings, plain
from implementations.sameness import PROBE_SEED
from implementations.spec import Network


@dataclass(frozen=True)
class Loaded:
    """The framework of this process."""

    name: str
    module: Framework
    settings: Settings
    import_s: float
    device_model: str


@dataclass(frozen=True)
class Subject:
    """What is measured: a case, its network and weights (or exported file), and the proof about it."""

    case: Case
    network: Network
    weights: Any  # Weights, or the path of the exported file
    loaded: Loaded
    certificate: certificates.Certificate


def run(benchmark: Any, subject: Subject, effort: Effort, number: int) -> dict[str, Any]:
    """Time the subject's blocks with pytest-benchmark; return the result's own fields.

    After the clock has stopped and memory is read, the canary is computed: an ``AssertionError``
    if what was timed does not compute the certificate's logits, if the loss is not a number, or if
    the device was still working when a block had ended.
    """
    case, loaded = subject.case, subject.loaded
    start = measure.CLOCK()
    built = loaded.module.build(
        subject.network, subject.weights, loaded.settings, training=case.task == "training"
    )
    build_s = measure.CLOCK() - start
    stepping = measure.stepper(built, subject.network, case.task, case.batch, PROBE_SEED + number)
    ready = measure.make_ready(stepping, effort)
    begun = measure.CLOCK()
    benchmark.pedantic(ready.block, rounds=ready.rounds, iterations=1, warmup_rounds=0)
    blocks_end = measure.CLOCK()
    latencies = list(measure.latencies(stepping, ready.steps, effort))
    window = (begun, measure.CLOCK())
    memory = {"peak_rss_bytes": measure.peak_rss_bytes(), "peak_device_bytes": built.peak_device_bytes()}
    switches = built.switches()
    loss = _finite(stepping.result) if case.task == "training" else None
    _require_synchronised(built, subject, stepping, ready.steps)
    phases = {"blocks": blocks_end - begun, "latencies": window[1] - blocks_end}
    return {
        "schema_version": SCHEMA_VERSION,
        "key": _key(subject),
        "attributes": {**_attributes(subject, number), "switches": switches},
        "classes": subject.network.classes,
        "input_shape": list(subject.network.input_shape),
        "parameters": sum(p.size for p in subject.network.parameters),
        "steps_per_block": ready.steps,
        "steady": ready.steady,
        "phases_s": {"import": loaded.import_s, "build": build_s, **ready.phases_s, **phases},
        **({"latencies_s": latencies} if latencies else {}),
        "window_s": window,
        "loss": loss,
        **memory,
        **_canary(built, subject),
    }


def _require_synchronised(built: Built, subject: Subject, stepping: Stepper, steps: int) -> None:
    """Of the step that is timed; of inference for a copy, which leaves no result that could be read."""
    if subject.case.task == "copy":
        stepping = measure.stepper(built, subject.network, "inference", subject.case.batch, PROBE_SEED)
        measure.require_synchronised(stepping, 1)
    else:
        measure.require_synchronised(stepping, steps)


def _finite(loss: Any) -> float:
    value = float(loss)
    assert math.isfinite(value), f"the loss of the last step is {value}: no result"
    return value


def _canary(built: Built, subject: Subject) -> dict[str, float]:
    """The certificate's logits once more; after training, with the certificate's weights again."""
    if subject.case.task == "training":
        built.load(subject.weights)
    found = certificates.canary_difference(subject.certificate, subject.network, built)
    bound = float(subject.certificate["canary_bound"])
    require_alive(found, bound, subject.loaded.settings.precision)
    return {"canary_difference": found, "canary_bound": bound}


def require_alive(found: float, bound: float, precision: str) -> None:
    """``AssertionError`` for a canary too far off, or nearer than a reduced precision can be."""
    assert found <= bound, f"the canary is {found:.1e} off the certificate (bound {bound:.0e}): no result"
    near, _ = bounds.reduced(precision) if precision in REDUCED_PRECISIONS else (0.0, bound)
    assert found >= near, f"the canary is {found:.1e} off, nearer than {precision} can be: no result"


def _key(subject: Subject) -> dict[str, Any]:
    loaded, settings = subject.loaded, subject.loaded.settings
    return {
        **plan.as_data(subject.case),
        "framework": plain(loaded.name),  # a series runs across versions
        "digest": subject.network.digest,
        "provider": settings.device.partition(":")[0],
        "device_model": loaded.device_model,
        "machine": machine.fingerprint(loaded.device_model),
        "precision": settings.precision,
        "policy": settings.policy,
        "threads": settings.threads,
        "method_version": METHOD_VERSION,
    }


def _attributes(subject: Subject, number: int) -> dict[str, Any]:
    return {
        "versions": subject.loaded.module.versions(),
        "certificate": subject.certificate["id"],
        "label": subject.loaded.name.partition(LABEL)[2],
        "environment": machine.environment(),
        "fork": number,
        "seed": PROBE_SEED + number,
    }
