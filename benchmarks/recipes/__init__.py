"""Trainings as data, one file a source; the user's own from a file."""

from pathlib import Path

from benchmarks.recipes import exercises, flowers, googlenet, mlp, vgg16_transfer
from benchmarks.recipes.recipe import Recipe, Scale, Stage, Target
from implementations.errors import UserError

__all__ = ["RECIPES", "Recipe", "Scale", "Stage", "Target", "find", "named"]

_SOURCES = (googlenet, vgg16_transfer, mlp, flowers, exercises)
RECIPES: dict[tuple[str, Scale], Recipe] = {
    (recipe.name, recipe.scale): recipe for source in _SOURCES for recipe in source.RECIPES
}
NAMES = tuple(dict.fromkeys(name for name, _ in RECIPES))


def named(name: str, scale: Scale = "full") -> Recipe:
    """The recipe ``name`` at ``scale``; ``UserError`` for an unknown one."""
    if (name, scale) not in RECIPES:
        raise UserError(
            "unknown recipe",
            given=name,
            allowed=f"{', '.join(NAMES)}, or a file that ends in .toml",
            todo="choose one of these",
        )
    return RECIPES[name, scale]


def find(text: str, scale: Scale | None = None) -> Recipe:
    """The recipe of that name, or in the file ``text``; ``UserError`` for an unknown or a mistaken one."""
    from benchmarks.recipes import written  # needs the table of data sets, which no child does

    if not text.endswith(written.SUFFIX):
        return named(text, scale or "full")
    recipe = written.read(Path(text))
    if scale not in (None, recipe.scale):
        raise UserError(
            "a recipe of one's own has one scale",
            given=f"--scale {scale}",
            allowed=recipe.scale,
            todo="leave --scale out, or write a file for each scale",
        )
    return recipe
