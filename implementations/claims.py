"""What is to be proven: which network in which framework or export; which share a child; their memory."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from implementations import networks, sameness
from implementations.network import WRITERS, known, place
from implementations.policies import EQUAL

TOGETHER = 7  # claims in one child: enough to share its start, few enough to keep both cores busy
PROCESS_BYTES = 2 * 2**30  # a framework, and activations
COPIES, COPIES_IN_TRAINING, COPIES_OF_AN_EXPORT = 6, 12, 3  # of all parameters in float64


@dataclass(frozen=True)
class Claim:
    """What one certificate is about: a network in a framework, or its export in ONNX Runtime."""

    framework: str
    network: str
    classes: int | None = None
    input_size: tuple[int, int] | None = None
    exporter: str | None = None
    policy: str = EQUAL
    activation: str | None = None
    initializer: str | None = None
    loss: str | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """What ``networks.build`` makes the network from; what is not asked for is left out."""
        size = {"name": self.network, "classes": self.classes, "input_size": self.input_size}
        varied = {"activation": self.activation, "initializer": self.initializer, "loss": self.loss}
        return size | {key: value for key, value in varied.items() if value is not None}

    @property
    def title(self) -> str:
        """The framework, for an export where it comes from, and the policy if it is not ``equal``."""
        return titled(self.framework, self.exporter, self.policy)

    @property
    def slug(self) -> str:
        """The claim as part of a file's name."""
        source = f"-from-{self.exporter}" if self.exporter else ""
        policy = "" if self.policy == EQUAL else f"-{self.policy}"
        return f"{self.network}{self._size}-{self.framework}{source}{policy}"

    @property
    def _size(self) -> str:
        """What is not the network's own, so that no two claims share a file."""
        height, width = self.input_size or (0, 0)
        size = f"{height}x{width}" if self.input_size else None
        own = (size, self.classes, self.activation, self.initializer, self.loss)
        return "".join(f"-{value}" for value in own if value is not None)


def titled(framework: str, exporter: str | None, policy: str = EQUAL) -> str:
    """``onnxruntime (from pytorch)``, ``pytorch, best``: how a case, a claim and their rows are called."""
    source = f" (from {exporter})" if exporter else ""
    return f"{framework}{source}" if policy == EQUAL else f"{framework}{source}, {policy}"


def claims(
    names: Iterable[str],
    frameworks: Iterable[str],
    exporters: Collection[str],
    policy: str = EQUAL,
    **size: Any,
) -> list[Claim]:
    """All claims about ``names`` in ``frameworks``; about exports those of ``exporters`` only.

    A framework whose files another one writes makes no claim of its own: it would be the same file.
    """
    sources = [name for name in sorted(exporters, key=place) if known(name).name in WRITERS]
    found = []
    for name in names:
        for framework in frameworks:
            if known(framework).trains:
                found.append(Claim(framework, name, policy=policy, **size))
            else:
                found += [Claim(framework, name, exporter=s, policy=policy, **size) for s in sources]
    return found


def grouped(wanted: Iterable[Claim]) -> list[list[Claim]]:
    """Claims that can share a child, a few each: importing some frameworks takes longer than a proof.

    Those that XLA compiles come first: they take longest, and the others fill what is left.
    """
    groups: dict[tuple[str, str | None, str], list[Claim]] = {}
    for claim in sorted(wanted, key=lambda claim: not known(claim.framework).compiles):
        groups.setdefault((claim.framework, claim.exporter, claim.policy), []).append(claim)
    return [group[i : i + TOGETHER] for group in groups.values() for i in range(0, len(group), TOGETHER)]


def is_large(claim: Claim) -> bool:
    """Whether a proof takes a minute, and gigabytes with level 3 in it: full-size VGG16."""
    return sameness.is_large(networks.build(**claim.arguments))


def needed_bytes(claim: Claim, *, training: bool) -> int:
    """What a child takes at most to prove ``claim``, ``training``: with level 3; as measured, rounded up.

    It grows with the parameters, of which a proof holds copies in float64: weights, gradients, velocities
    and updates, the framework's and the reference's.
    """
    parameters = sum(p.size for p in networks.build(**claim.arguments).parameters)
    copies = COPIES_OF_AN_EXPORT if claim.exporter else COPIES_IN_TRAINING if training else COPIES
    return PROCESS_BYTES + copies * 8 * parameters
