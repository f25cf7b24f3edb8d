import re
from pathlib import Path

import pytest

from benchmarks import recipes
from benchmarks.recipes.written import read
from implementations.commandline import ROOT
from implementations.errors import UserError
from implementations.training import SGD, CosineRate
from implementations.variants import LOSSES

GOOD = """
network = "mlp"
activation = "tanh"
initializer = "he_normal"
data = "digits"
epochs = 3
batch = 16

[optimizer]
kind = "sgd"
learning_rate = 0.1
momentum = 0.9

[schedule]
kind = "cosine"
length = 3
unit = "epoch"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_a_file_is_a_recipe(tmp_path: Path) -> None:
    recipe = read(written(tmp_path, GOOD))
    assert (recipe.name, recipe.network, recipe.epochs) == ("mine", "mlp", 3)
    assert recipe.optimizer == SGD(0.1, momentum=0.9)
    assert recipe.schedule == CosineRate(0.1, length=3, unit="epoch")
    assert recipe.build().by_path["hidden"].layer.activation == "tanh"  # type: ignore[attr-defined]


def test_a_file_is_found_by_its_name(tmp_path: Path) -> None:
    assert recipes.find(str(written(tmp_path, GOOD))).name == "mine"


def test_a_scale_is_not_asked_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has one scale"):
        recipes.find(str(written(tmp_path, GOOD)), "small")


def test_every_mistake_has_a_line_that_names_the_file(tmp_path: Path) -> None:
    text = GOOD.replace("epochs = 3", "epochs = 0").replace('data = "digits"', 'data = "cats"')
    text = text.replace('network = "mlp"', 'network = "lenet"').replace("momentum = 0.9", "speed = 0.9")
    path = written(tmp_path, text)
    with pytest.raises(UserError) as caught:
        read(path)
    lines = str(caught.value).split("\nerror: ")
    assert len(lines) == 4
    assert all(line.startswith(str(path)) for line in lines)
    for word in ("epochs", "cats", "lenet", "optimizer.speed"):
        assert any(word in line for line in lines), word


def test_a_network_that_cannot_be_built_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match="unknown activation: given softplus; allowed: relu, sigmoid, tanh, elu"
    ):
        read(written(tmp_path, GOOD.replace("tanh", "softplus")))


def test_loss_and_metrics_are_chosen(tmp_path: Path) -> None:
    text = 'loss = "mean_squared_error"\nmetrics = ["accuracy", "top5", "cross_entropy"]\n'
    recipe = read(written(tmp_path, text + GOOD))
    assert recipe.build().loss == LOSSES["mean_squared_error"]
    assert recipe.metrics == ("accuracy", "top5", "cross_entropy")


def test_a_loss_that_is_unknown_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match="unknown loss: given hinge; allowed: sparse_categorical_crossentropy"
    ):
        read(written(tmp_path, f'loss = "hinge"\n{GOOD}'))


def test_five_of_so_few_classes_are_no_metric(tmp_path: Path) -> None:
    text = f'classes = 5\nmetrics = ["accuracy", "top5"]\n{GOOD}'
    with pytest.raises(UserError, match="top5 says nothing of so few classes: given top5 of 5 classes"):
        read(written(tmp_path, text))


def stages(*networks: str, features: bool = False) -> str:
    head = 'name = "s"\nepochs = 1\noptimizer = {kind = "sgd", learning_rate = 0.1}\n'
    last = "features = true\n" if features else ""
    return "\n".join([GOOD, *(f'[[stages]]\n{head}network = "{name}"\n{last}' for name in networks)])


def test_stages_of_unlike_parameters_are_told_with_their_number(tmp_path: Path) -> None:
    text = stages("mlp", "mlp", "vgg16").replace('activation = "tanh"\n', "")
    with pytest.raises(UserError) as caught:
        read(written(tmp_path, text))
    assert str(caught.value).endswith(
        "mine.toml: stages[2].network: its parameters are not those of the first stage's: given vgg16; "
        "allowed: mlp, or what differs from it in what is frozen; "
        "choose another network, or write a recipe of its own for it"
    )


def test_stages_that_differ_in_what_is_frozen_follow_each_other(tmp_path: Path) -> None:
    text = stages("vgg16-transfer", "vgg16-finetune")
    assert len(read(written(tmp_path, text)).parts) == 2


def test_features_of_what_is_not_frozen_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"stages\[0\].features: mlp has no frozen base"):
        read(written(tmp_path, stages("mlp", features=True)))


@pytest.mark.parametrize("text", ["epochs =", "[", "\0", "epochs = 3\nepochs = 4"])
def test_what_is_no_toml_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match="the recipe cannot be read"):
        read(written(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the recipe cannot be read"):
        read(tmp_path / "none.toml")


def test_a_file_of_other_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(bytes(range(128, 256)))
    with pytest.raises(UserError, match="the recipe cannot be read"):
        read(path)


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    text = GOOD.replace('"tanh"', f"\"__import__('pathlib').Path('{mark}').touch()\"")
    with pytest.raises(UserError):
        read(written(tmp_path, text))
    assert not mark.exists()


# --- docs/training.md ---------------------------------------------------------------------

PAGE = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")


def test_the_pages_own_recipe_is_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    recipe = read(written(tmp_path, text))
    assert (recipe.network, recipe.activation, recipe.initializer) == ("googlenet-keras", "elu", "he_normal")


def test_every_recipe_stands_in_the_page() -> None:
    for name in recipes.NAMES:
        assert f"`{name}`" in PAGE or name.startswith("flowers-")
    for network in (name.removeprefix("flowers-") for name in recipes.NAMES if name.startswith("flowers-")):
        assert network in PAGE
