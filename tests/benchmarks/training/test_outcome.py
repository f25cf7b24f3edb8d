"""The table that ends a training."""

from typing import Any

from rich.table import Table

from benchmarks.training import outcome


def training(framework: str, seed: int, accuracy: float, **changes: Any) -> dict[str, Any]:
    score = {"main": {"loss": 0.3, "accuracy": accuracy - 0.01}}
    epoch = {"epoch": 1, "seconds": 2.0, "images_per_second": 1000.0, "validation": score}
    return {
        "schema_version": 3,
        "recipe": "mlp",
        "scale": "full",
        "framework": framework,
        "seed": seed,
        "data": {"name": "digits"},
        "epochs": [epoch],
        "test": {"accuracy": accuracy},
        "target": {"accuracy": 0.87, "reached_epoch": 1, "seconds": 4.0},
        **changes,
    }


OLDER = {
    "schema_version": 1,
    "recipe": "mlp",
    "framework": "paddle",
    "seed": 0,
    "data": {"name": "digits"},
    "epochs": [
        {"epoch": 1, "seconds": 9.0, "test_accuracy": 0.8},
        {"epoch": 2, "seconds": 3.0, "test_accuracy": 0.9},
    ],
}


def rows(table: Table) -> list[tuple[str, ...]]:
    columns = [list(column.cells) for column in table.columns]
    return [tuple(str(column[number]) for column in columns) for number in range(table.row_count)]


def test_a_row_has_mean_and_spread_over_seeds() -> None:
    table = outcome.table([training("paddle", 0, 0.87), training("paddle", 1, 0.88)])
    assert rows(table) == [
        (
            "mlp",
            "digits",
            "paddle",
            "2",
            "0.8750 (0.0071)",
            "0.8650 (0.0071)",
            "2.0",
            "1,000",
            "0.870 in 4.0 (0.0) s (2 of 2)",
            "",
        )
    ]


def test_the_second_framework_is_compared_with_the_first_by_seed() -> None:
    first = [training("paddle", seed, 0.87 + 0.001 * seed) for seed in range(10)]
    second = [training("pytorch", seed, 0.871 + 0.001 * seed) for seed in reversed(range(10))]
    assert rows(outcome.table([*first, *second]))[1][-1] == "equivalent: +0.10 points (+0.10 to +0.10)"


def test_seeds_that_only_one_side_has_are_left_out() -> None:
    found = rows(outcome.table([training("paddle", 0, 0.8), training("pytorch", 1, 0.9)]))
    assert found[1][-1] == ""


def test_a_few_seeds_are_undecided() -> None:
    found = rows(outcome.table([training("paddle", 0, 0.8), training("pytorch", 0, 0.9)]))
    assert found[1][-1] == "undecided: +10.00 points"


def test_recipes_and_scales_are_not_compared_with_each_other() -> None:
    found = rows(outcome.table([training("paddle", 0, 0.8), training("pytorch", 0, 0.9, scale="small")]))
    assert [row[0] for row in found] == ["mlp", "mlp, small"]
    assert [row[-1] for row in found] == ["", ""]


def test_a_target_that_no_seed_reached_is_told() -> None:
    missed = {"accuracy": 0.87, "reached_epoch": None, "seconds": None}
    assert rows(outcome.table([training("paddle", 0, 0.8, target=missed)]))[0][-2] == "0.870 (0 of 1)"


def test_results_of_older_schemas_have_a_row_too() -> None:
    assert rows(outcome.table([OLDER])) == [("mlp", "digits", "paddle", "1", "0.9000", "", "6.0", "", "", "")]


def test_no_trainings_give_no_rows() -> None:
    assert rows(outcome.table([])) == []
