"""Files damaged at random: cut short, bits flipped, bytes put in. The same ones in every run."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# What is tried must not depend on the day, and a slow machine is no failure.
DAMAGES = settings(
    max_examples=150,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """``content`` with up to four damages."""
    found = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(found) - 1, 0)))
        kind = draw(st.sampled_from(("cut", "flip", "set", "insert", "remove")))
        if kind == "cut":
            del found[place:]
        elif kind == "insert":
            found[place:place] = draw(st.binary(min_size=1, max_size=40))
        elif kind == "remove":
            del found[place : place + draw(st.integers(1, 40))]
        elif found:
            found[place] = draw(st.integers(0, 255)) if kind == "set" else found[place] ^ 0x80
    return bytes(found)
