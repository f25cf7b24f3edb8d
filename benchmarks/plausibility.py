"""What cannot be true, or should make one look twice: rules over the summed-up cases of a run."""

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
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
    before = _next_smaller(every)
    found = {case: tuple(_flags(one, every, before.get(case))) for case, one in every.items()}
    return {case: words for case, words in found.items() if words}


def _flags(one: Seen, every: Mapping[Case, Seen], before: Case | None) -> Iterator[str]:
    if one.share_of_ceiling is not None and one.share_of_ceiling > OVER:
        yield f"computes {one.share_of_ceiling:.0%} of what the machine can"
    if one.p50_s is not None:
        agreement = one.throughput.value * one.p50_s / one.case.batch
        if not AGREEING[0] <= agreement <= AGREEING[1]:
            yield f"throughput × latency ÷ batch is {agreement:.2f}, far from 1"
    for sibling in _smaller_siblings(one.case):
        if sibling in every and one.throughput.low > every[sibling].throughput.high:
            yield f"is faster than {sibling.network}, which computes less"
    if before is not None and one.throughput.high < CLIFF * every[before].throughput.low:
        fallen = one.throughput.value / every[before].throughput.value
        yield f"falls to {fallen:.0%} of batch {before.batch}"


def _smaller_siblings(case: Case) -> Iterator[Case]:
    """The same case of every smaller network of its family."""
    for family in FAMILIES if case.task != "copy" else ():
        if case.network in family:
            for name in family[: family.index(case.network)]:
                yield dataclasses.replace(case, network=name)


def _next_smaller(cases: Iterable[Case]) -> dict[Case, Case]:
    """The next smaller batch of the same case, where there is one."""
    alike: dict[Case, list[Case]] = defaultdict(list)
    for case in cases:
        alike[dataclasses.replace(case, batch=0)].append(case)
    ordered = [sorted(same, key=lambda case: case.batch) for same in alike.values()]
    return {after: before for same in ordered for before, after in itertools.pairwise(same)}
