"""Hand-made nights of many cases, with a spread that a test chooses."""

import numpy as np

from benchmarks.regression.expectations import Nights
from benchmarks.regression.nights import Values


def made_nights(
    generator: np.random.Generator, nights: int, *, fork: float = 0.01, night: float = 0.01, forks: int = 3
) -> Nights:
    """Values around 0 (1 image/s), with σ_fork and σ_night."""
    drawn = night * generator.standard_normal((nights, 1)) + fork * generator.standard_normal((nights, forks))
    return of_forks(drawn)


def of_forks(logs: Values) -> Nights:
    """Of (nights, forks) logarithms."""
    return Nights(logs.mean(axis=1), logs.var(axis=1, ddof=1), np.full(len(logs), float(logs.shape[1])))


def stepped(nights: Nights, by: float, last: int = 1) -> Nights:
    """The same with its ``last`` nights ``by`` (a logarithm) away."""
    values = nights.values.copy()
    values[len(values) - last :] += by
    return Nights(values, nights.within, nights.forks)


def followed(nights: Nights, later: Nights) -> Nights:
    """``nights`` with ``later`` ones after them."""
    names = ("values", "within", "forks")
    return Nights(*(np.concatenate([getattr(nights, name), getattr(later, name)]) for name in names))
