"""What is watched beside speed: which way is better, how little may be noise, and what to call a change."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """``floor`` is the least standard deviation of a night's logarithm that is believed: counts vary by
    nothing at all for months, and then by a page. ``effect`` is the least change, as a fraction, that is
    worth a word.
    """

    name: str
    unit: str
    more_is_better: bool
    floor: float
    effect: float
    words: tuple[str, str]  # for better and worse
    timed: bool = True  # so that it moves with the machine's ceilings
    least: float = 0.0  # below which it is too small to matter


SPEED = Metric("speed", "images/s", True, 0.002, 0.02, ("faster", "slower"))
METRICS = {
    metric.name: metric
    for metric in (
        SPEED,
        Metric("peak_rss_bytes", "bytes", False, 0.004, 0.02, ("less memory", "more memory"), timed=False),
        Metric("peak_device_bytes", "bytes", False, 0.002, 0.02, ("less memory", "more memory"), timed=False),
        Metric("compile_s", "s", False, 0.02, 0.10, ("compiles faster", "compiles slower"), least=0.1),
        Metric("joules_per_image", "J", False, 0.01, 0.02, ("less energy", "more energy")),
        # Of the images of a test: one in a hundred less is worth a word.
        Metric("error", "of 1", False, 0.02, 0.05, ("more accurate", "less accurate"), timed=False),
        # Roundings: an order of summation that changes is worth no word, another algorithm is.
        Metric("difference", "of the reference", False, 0.15, 1.0, ("nearer", "further off"), timed=False),
    )
}
