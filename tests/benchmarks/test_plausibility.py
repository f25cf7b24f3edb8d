"""Each rule on numbers that break it, and on numbers that do not."""

from benchmarks import plausibility
from benchmarks.intervals import Interval
from benchmarks.plan import Case
from benchmarks.plausibility import Seen


def seen(
    rate: float,
    network: str = "vgg16",
    batch: int = 8,
    share: float | None = 0.5,
    p50: float | None = None,
    framework: str = "pytorch",
) -> Seen:
    case = Case(network, "inference", batch, framework)
    return Seen(case, Interval(rate, 0.97 * rate, 1.03 * rate, "interval", 3), share, p50)


def flags(*every: Seen) -> dict[str, tuple[str, ...]]:
    return {case.slug: words for case, words in plausibility.flags(every).items()}


def test_plausible_numbers_have_no_flag() -> None:
    every = [seen(100, "vgg13"), seen(80, "vgg16", p50=0.1), seen(70, "vgg19"), seen(60, "vgg16", batch=1)]
    assert flags(*every) == {}


def test_nothing_computes_more_than_the_machine_can() -> None:
    assert flags(seen(100, share=1.3)) == {
        "vgg16-inference-b8-pytorch": ("computes 130% of what the machine can",)
    }


def test_a_ceiling_is_measured_too_and_has_its_noise() -> None:
    assert flags(seen(100, share=1.04)) == {}


def test_a_bigger_sibling_is_not_faster() -> None:
    found = flags(seen(100, "vgg13"), seen(120, "vgg16"))
    assert found == {"vgg16-inference-b8-pytorch": ("is faster than vgg13, which computes less",)}


def test_siblings_that_cannot_be_told_apart_are_no_flag() -> None:
    assert flags(seen(100, "vgg13"), seen(102, "vgg16")) == {}


def test_siblings_in_other_frameworks_are_not_compared() -> None:
    assert flags(seen(100, "vgg13"), seen(300, "vgg16", framework="paddle")) == {}


def test_a_cliff_in_the_batch_curve_is_found() -> None:
    # figures of a V100: VGG16's throughput falls from batch 128 to 256
    assert flags(seen(703, batch=128), seen(474, batch=256)) == {
        "vgg16-inference-b256-pytorch": ("falls to 67% of batch 128",)
    }


def test_the_cliff_is_between_neighbours() -> None:
    found = flags(seen(100, batch=1), seen(60, batch=2), seen(59, batch=4))
    assert list(found) == ["vgg16-inference-b2-pytorch"]


def test_throughput_and_latency_must_agree() -> None:
    # 8 images in 0.04 s would be 200 images/s and not 100
    assert flags(seen(100, p50=0.04)) == {
        "vgg16-inference-b8-pytorch": ("throughput × latency ÷ batch is 0.50, far from 1",)
    }


def test_what_is_not_known_is_no_flag() -> None:
    assert flags(seen(100, share=None, p50=None)) == {}
