"""Trainings as data, one file a recipe."""

from benchmarks.recipes.mlp import MLP
from benchmarks.recipes.recipe import Recipe
from implementations.errors import UserError

__all__ = ["RECIPES", "Recipe", "find"]

RECIPES = {recipe.name: recipe for recipe in (MLP,)}


def find(name: str) -> Recipe:
    """The recipe ``name``; ``UserError`` for an unknown one."""
    if name not in RECIPES:
        raise UserError("unknown recipe", given=name, allowed=", ".join(RECIPES), todo="choose one of these")
    return RECIPES[name]
