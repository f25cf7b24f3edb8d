from benchmarks.training.stepping import draw, has_dropout
from implementations import networks


def test_every_step_of_every_seed_draws_from_a_number_of_its_own() -> None:
    numbers = {draw(seed, step) for seed in range(4) for step in range(50)}
    assert len(numbers) == 200
    assert all(0 <= number < 2**31 for number in numbers)


def test_the_draws_stay_what_they_were() -> None:
    # Taken from the implementation once: a pin, so that results of different dates saw the same dropout.
    assert [draw(0, 0), draw(0, 1), draw(1, 0)] == [1997640924, 710188624, 1285225822]


def test_dropout_is_found() -> None:
    assert has_dropout(networks.build("probe"))
    assert not has_dropout(networks.build("probe").without_dropout())
    assert not has_dropout(networks.build("mlp"))
