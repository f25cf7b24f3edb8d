"""What stands behind a case's throughput: latency, limits, memory, energy, doubts. Nothing about HTML."""

import dataclasses
import functools
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import diagnosis, latency, plausibility, work
from benchmarks.comparisons import Comparison
from benchmarks.latency import Latency
from benchmarks.plan import Case
from benchmarks.plausibility import Seen
from benchmarks.results import Fork
from implementations import networks
from implementations.errors import UserError
from implementations.spec import Network

MEBI = 2**20
COPY = "copy"


@dataclass(frozen=True)
class Details:
    """One case, beside its throughput; ``None`` is what could not be known."""

    case: Case
    precision: str
    latency: Latency | None
    compile_s: float | None  # what the first call takes above a warm one, median over forks
    gflop_per_s: float | None
    share_of_ceiling: float | None  # of the machine's FLOP/s in this precision
    gbytes_per_s: float | None  # at least moved, by arithmetic
    share_of_copy: float | None  # of the machine's copy bandwidth
    intensity: float | None  # FLOP a byte
    held_mib: float | None  # parameters, activations, optimizer, by arithmetic
    joules_per_image: float | None
    switches: Mapping[str, str]  # as the framework reported them, in all forks alike
    notes: tuple[str, ...]  # what makes one look twice


def of_all(comparisons: Iterable[Comparison], ceilings: Mapping[str, float]) -> dict[Case, Details]:
    """Details of every case that counts, with what the rules of plausibility say of it."""
    found = list(comparisons)
    details = {
        case: _details(comparison, case, ceilings) for comparison in found for case in comparison.forks
    }
    seen = [
        Seen(case, comparison.throughput(case), details[case].share_of_ceiling, _p50(details[case].latency))
        for comparison in found
        for case in comparison.forks
    ]
    flagged = plausibility.flags(seen)
    return {case: _noted(one, flagged.get(case, ())) for case, one in details.items()}


def _p50(found: Latency | None) -> float | None:
    return found.p50 if found else None


def _noted(one: Details, words: tuple[str, ...]) -> Details:
    return dataclasses.replace(one, notes=(*words, *one.notes))


def _details(comparison: Comparison, case: Case, ceilings: Mapping[str, float]) -> Details:
    forks = comparison.forks[case]
    precision = str(forks[0].key["precision"])
    network = _network(forks[0])
    width = 2 if precision in ("bfloat16", "float16") else work.FLOAT
    step = work.of(network, case.task, case.batch, width) if network else None
    steps_per_s = comparison.throughput(case).value / case.batch
    moved, flop = (step.moved_bytes, step.flop) if step else (None, None)
    return Details(
        case=case,
        precision=precision,
        latency=latency.of_forks(forks),
        compile_s=_median(fork.fields["phases_s"].get("compile") for fork in forks),
        gflop_per_s=flop * steps_per_s / 1e9 if flop else None,
        share_of_ceiling=_share(flop, steps_per_s, ceilings.get(precision)),
        gbytes_per_s=moved * steps_per_s / 1e9 if moved else None,
        share_of_copy=_share(moved, steps_per_s, ceilings.get(COPY)),
        intensity=step.intensity if step and step.flop else None,
        held_mib=work.held(network, case.task, case.batch).total / MEBI if network else None,
        joules_per_image=_median(fork.joules_per_image for fork in forks),
        switches=_shared(fork.attributes.get("switches", {}) for fork in forks),
        notes=tuple(_doubts(forks)),
    )


def _network(fork: Fork) -> Network | None:
    """The network that was measured; ``None`` if this version of the project has another of that name."""
    return _defined(fork.key["network"], fork.key["digest"])


@functools.cache
def _defined(name: str, digest: str) -> Network | None:
    try:
        network = networks.build(name)
    except UserError:
        return None
    return network if network.digest == digest else None


def _share(amount: float | None, steps_per_s: float, ceiling: float | None) -> float | None:
    return amount * steps_per_s / ceiling if amount and ceiling else None


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _shared(every: Iterable[Mapping[str, str]]) -> dict[str, str]:
    first, *others = [dict(switches) for switches in every]
    return {name: value for name, value in first.items() if all(o.get(name) == value for o in others)}


def _doubts(forks: Sequence[Fork]) -> Iterable[str]:
    disturbed = [words for fork in forks for words in fork.disturbances[:1]]
    if disturbed:
        yield f"{len(disturbed)} of {len(forks)} forks disturbed: {disturbed[0]}"
    drifts = [d for fork in forks if (d := diagnosis.drift(fork.seconds)) is not None]
    if drifts:
        worst = max(drifts, key=lambda change: abs(math.log1p(change)))
        yield f"blocks drift in {len(drifts)} of {len(forks)} forks, by {worst:+.0%} from first to last"
    modes = sum(diagnosis.has_modes(fork.seconds) for fork in forks)
    if modes:
        yield f"blocks have more than one mode in {modes} of {len(forks)} forks"
