"""What cannot be true, or should make one look twice: rules over the summed-up cases of a run."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmarks.intervals import Interval
from benchmarks.plan import Case

OVER = 1.05  # of a ceiling, which is measured too
CLIFF = 0.8  # of the throughput at a smaller batch
AGREEING = (0.8, 1.25)  # throughput × latency ÷ batch
FAMILIES = (("vgg13", "vgg16", "vgg19"), ("resnet18", "resnet50"))  # each more work than the one before


@dataclass(frozen=True)
class Seen:
    """A case as the rules see it."""

    case: Case
    throughput: Interval  # images/s
    share_of_ceiling: float | None  # of the machine's FLOP/s in the case's precision
    p50_s: float | None  # latency of one step


def flags(seen: Iterable[Seen]) -> dict[Case, tuple[str, ...]]:
    """In words what is implausible, by case; cases without a flag are left out."""
    every = {one.case: one for one in seen}
    found = {case: tuple(_flags(one, every)) for case, one in every.items()}
    return {case: words for case, words in found.items() if words}


def _flags(one: Seen, every: dict[Case, Seen]) -> Iterator[str]:
    if one.share_of_ceiling is not None and one.share_of_ceiling > OVER:
        yield f"computes {one.share_of_ceiling:.0%} of what the machine can"
    if one.p50_s is not None:
        agreement = one.throughput.value * one.p50_s / one.case.batch
        if not AGREEING[0] <= agreement <= AGREEING[1]:
            yield f"throughput × latency ÷ batch is {agreement:.2f}, far from 1"
    for other in every.values():
        if _is_bigger(one.case, other.case) and one.throughput.low > other.throughput.high:
            yield f"is faster than {other.case.network}, which computes less"
        if _is_next_batch(one.case, other.case, every) and one.throughput.high < CLIFF * other.throughput.low:
            yield f"falls to {one.throughput.value / other.throughput.value:.0%} of batch {other.case.batch}"


def _alike(case: Case) -> tuple[object, ...]:
    return (case.task, case.framework, case.exporter, case.policy)


def _is_bigger(case: Case, other: Case) -> bool:
    """Whether ``case`` is a bigger sibling of ``other``, at the same batch."""
    if _alike(case) != _alike(other) or case.batch != other.batch or case.task == "copy":
        return False
    return any(
        case.network in family
        and other.network in family
        and family.index(case.network) > family.index(other.network)
        for family in FAMILIES
    )


def _is_next_batch(case: Case, other: Case, every: Iterable[Case]) -> bool:
    """Whether ``other`` is the next smaller batch of the same case."""
    smaller = [
        c.batch
        for c in every
        if _alike(c) == _alike(case) and c.network == case.network and c.batch < case.batch
    ]
    same = _alike(case) == _alike(other) and case.network == other.network
    return same and bool(smaller) and other.batch == max(smaller)
