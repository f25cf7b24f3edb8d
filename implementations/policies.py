"""Policies as data: the switches that each sets, by framework and device.

``equal`` is the framework as it comes, in float32, without TF32 or autotuning. ``best`` is what someone
who knows the framework would switch on, as far as it was found to help (docs/policies.md). Proofs are made
under the very switches that are timed, and each result says what the framework itself reports of them.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from implementations import provenance
from implementations.errors import UserError

EQUAL, BEST = "equal", "best"
POLICIES = (EQUAL, BEST)
FAST_BFLOAT16 = ("amx_bf16", "avx512_bf16", "bf16")  # a processor's flags: it multiplies bfloat16 itself


@dataclass(frozen=True)
class Switches:
    """What can be switched; everything off is the policy ``equal``."""

    compile: bool = False  # torch.compile; XLA for TensorFlow, which JAX has anyway
    graphs: bool = False  # CUDA graphs: the kernels of a compiled step are launched as one
    channels_last: bool = False  # memory layout of images and weights
    autotune: bool = False  # let the GPU library try its algorithms and keep the fastest
    mixed: bool = False  # bfloat16 in convolutions and dense layers, where the device multiplies it
    engine: bool = False  # Paddle's inference engine with oneDNN instead of dynamic mode


AS_IT_COMES = Switches()
BEST_SWITCHES: Mapping[tuple[str, str], Switches] = {
    ("pytorch", "cpu"): Switches(channels_last=True, mixed=True),
    ("pytorch", "cuda"): Switches(compile=True, graphs=True, channels_last=True, autotune=True, mixed=True),
    ("keras-tensorflow", "cpu"): Switches(mixed=True),
    ("keras-tensorflow", "cuda"): Switches(compile=True, mixed=True),
    ("keras-jax", "cpu"): Switches(),  # bfloat16 made it slower by a fifth to a half
    ("keras-jax", "cuda"): Switches(mixed=True),
    ("keras-torch", "cpu"): Switches(mixed=True),
    ("keras-torch", "cuda"): Switches(autotune=True, mixed=True),
    ("paddle", "cpu"): Switches(engine=True),
    # Not compiled by to_static: there its LocalResponseNorm refuses float64, so it could not be proven.
    ("paddle", "cuda"): Switches(autotune=True, mixed=True),
    ("onnxruntime", "cpu"): Switches(),  # all graph optimisations are its default
    ("onnxruntime", "cuda"): Switches(autotune=True),
}


def known(policy: str) -> str:
    """``policy`` itself; ``UserError`` for an unknown one."""
    if policy not in POLICIES:
        raise UserError(
            "unknown policy", given=policy, allowed=", ".join(POLICIES), todo="choose one of these"
        )
    return policy


def switches(policy: str, framework: str, device: str) -> Switches:
    """What ``policy`` sets in ``framework`` (without a label) on ``device``; nothing if none is known."""
    if known(policy) == EQUAL:
        return AS_IT_COMES
    return BEST_SWITCHES.get((framework, device.partition(":")[0]), AS_IT_COMES)


def mixed_precision(chosen: Switches, device: str, offered: tuple[str, ...]) -> str:
    """The precision that is timed: bfloat16 where it is asked for, offered, and multiplied by the device."""
    multiplied = device.startswith("cuda") or bool(provenance.cpu_flags().intersection(FAST_BFLOAT16))
    return "bfloat16" if chosen.mixed and multiplied and "bfloat16" in offered else "float32"


def as_data(chosen: Switches) -> dict[str, bool]:
    return dataclasses.asdict(chosen)
