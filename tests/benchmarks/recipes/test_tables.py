import json

import pytest

from benchmarks.recipes import RECIPES, Recipe
from benchmarks.recipes.tables import MistakesError, as_table, from_table


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: f"{recipe.name}-{recipe.scale}")
def test_a_recipe_comes_back_from_json(recipe: Recipe) -> None:
    assert from_table(json.loads(json.dumps(as_table(recipe)))) == recipe


def test_what_is_left_out_takes_its_default() -> None:
    table = as_table(RECIPES["mlp", "full"])
    del table["remainder"], table["optimizer"]["beta1"]
    assert from_table(table) == RECIPES["mlp", "full"]


def test_every_mistake_is_told() -> None:
    table = as_table(RECIPES["mlp", "full"])
    table |= {"epochs": 0, "batch": "many", "epoch": 5, "target": {"accuracy": 2}}
    table["optimizer"] = {"kind": "adamw", "learning_rate": 1}
    del table["network"]
    with pytest.raises(MistakesError) as caught:
        from_table(table)
    lines = str(caught.value).split("\nerror: ")
    assert len(lines) == len(caught.value.errors) == 6
    for place in ("epochs", "batch", "epoch:", "target.accuracy", "optimizer.kind", "network"):
        assert sum(line.startswith(place) for line in lines) >= 1, place


@pytest.mark.parametrize(
    ("change", "place", "allowed"),
    [
        ({"epochs": True}, "epochs", "a whole number from 1 up"),
        ({"epochs": 2.5}, "epochs", "a whole number from 1 up"),
        ({"batch": -1}, "batch", "a whole number from 1 up"),
        ({"remainder": "pad"}, "remainder", "drop, keep"),
        ({"input_size": [28]}, "input_size", "a list of 2 whole numbers"),
        ({"input_size": 28}, "input_size", "a list of 2 whole numbers"),
        ({"input_size": [28, "a"]}, "input_size", "a list of 2 whole numbers"),
        ({"only": [1, 2.5]}, "only", "a list of whole numbers"),
        ({"train_on_all": 1}, "train_on_all", "true or false"),
        ({"optimizer": 3}, "optimizer.kind", "sgd, adam, nadam, adamax, rmsprop, adagrad, adadelta"),
        ({"optimizer": {"kind": "sgd"}}, "optimizer.learning_rate", "a number above 0"),
        ({"optimizer": {"kind": "sgd", "learning_rate": 0}}, "optimizer.learning_rate", "a number above 0"),
        ({"optimizer": {"kind": "adam", "beta1": 1}}, "optimizer.beta1", "a number from 0 to below 1"),
        ({"optimizer": {"kind": "adam", "momentum": 0.9}}, "optimizer.momentum", "learning_rate"),
        ({"schedule": {"kind": "linear"}}, "schedule.kind", "constant, stepped, cosine"),
        ({"preprocessing": {"scale": "none"}}, "preprocessing.scale", "unit, caffe, standard"),
        ({"preprocessing": "unit"}, "preprocessing", "a table"),
        ({"augmentation": {"zoom": 1.5}}, "augmentation.zoom", "a number from 0 to below 1"),
        ({"stages": [3]}, "stages[0]", "a table"),
        ({"stages": [{"name": "a"}]}, "stages[0].epochs", "a whole number from 1 up"),
        ({"target": {"accuracy": 0.9, "part": "train"}}, "target.part", "validation, test"),
        ({"metrics": ["accuracy", "f1"]}, "metrics", "loss, accuracy, top5, cross_entropy, mean_squared"),
        ({"keep_epochs": 0}, "keep_epochs", "a whole number from 1 up"),
        ({"test_each_epoch": 2}, "test_each_epoch", "true or false"),
        ({"metrics": "accuracy"}, "metrics", "a list of loss, accuracy"),
        ({"reported": {"accuracy": "high"}}, "reported", "a table of numbers"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(change: dict[str, object], place: str, allowed: str) -> None:
    with pytest.raises(MistakesError) as caught:
        from_table({**as_table(RECIPES["mlp", "full"]), **change})
    told = [error for error in caught.value.errors if error.wrong.startswith(f"{place}:")]
    assert len(told) == 1, str(caught.value)
    assert allowed in told[0].parts["allowed"]


@pytest.mark.parametrize("metrics", [[], ["loss"], ["accuracy", "accuracy"]])
def test_accuracy_is_always_recorded_and_nothing_twice(metrics: list[str]) -> None:
    with pytest.raises(MistakesError, match="metrics lists accuracy, on which targets and tables rest"):
        from_table({**as_table(RECIPES["mlp", "full"]), "metrics": metrics})


def test_what_the_class_itself_refuses_is_told() -> None:
    table = as_table(RECIPES["mlp", "full"])
    table["optimizer"] = {"kind": "sgd", "learning_rate": 0.1, "nesterov": True}
    with pytest.raises(MistakesError, match="Nesterov"):
        from_table(table)
