"""A user's recipe from a TOML file: read, never executed; every mistake in a line of its own."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.data.sets import SETS
from benchmarks.recipes.recipe import TOP, Recipe, Stage
from benchmarks.recipes.tables import MistakesError, from_table
from implementations import networks
from implementations.errors import UserError
from implementations.networks.transfer import divided
from implementations.spec import Network

SUFFIX = ".toml"
DEFAULTS = {"source": "a recipe of the user's own", "preprocessing": {}}


def read(path: Path) -> Recipe:
    """The recipe in ``path``; ``UserError`` for a file that is none, ``MistakesError`` for what is wrong.

    ``name`` is the file's own if it is left out, ``source`` says that it is the user's, and a schedule's
    ``initial`` is the optimizer's learning rate.
    """
    table = {"name": path.stem, **DEFAULTS, **_parsed(path)}
    for part in (table, *_tables(table.get("stages"))):
        _fill_in_rate(part)
    recipe, mistakes = _made(table)
    mistakes += _mistakes_about_names(table, recipe)
    if mistakes:
        raise MistakesError([_in(path, mistake) for mistake in mistakes])
    assert recipe is not None
    return recipe


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(
            f"the recipe cannot be read ({error})",
            given=path,
            allowed="a TOML file (docs/training.md has one)",
            todo="correct the file or its name",
        ) from None


def _tables(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _fill_in_rate(table: dict[str, Any]) -> None:
    schedule, optimizer = table.get("schedule"), table.get("optimizer")
    if isinstance(schedule, dict) and isinstance(optimizer, dict) and "learning_rate" in optimizer:
        schedule.setdefault("initial", optimizer["learning_rate"])


def _made(table: dict[str, Any]) -> tuple[Recipe | None, list[UserError]]:
    try:
        return from_table(table), []
    except MistakesError as found:
        return None, found.errors


def _mistakes_about_names(table: dict[str, Any], recipe: Recipe | None) -> list[UserError]:
    """Unknown data, networks, activations; sizes and classes that a network cannot take."""
    found = []
    if isinstance(table.get("data"), str) and table["data"] not in SETS:
        found.append(
            UserError(
                "data: unknown data set", given=table["data"], allowed=", ".join(SETS), todo="choose one"
            )
        )
    if recipe is not None:
        found += _mistakes_about_networks(recipe)
    name = table.get("network")
    if recipe is None and isinstance(name, str) and name not in networks.NETWORKS:
        allowed = ", ".join(networks.NETWORKS)
        found.append(UserError("network: unknown network", given=name, allowed=allowed, todo="choose one"))
    return found


def _mistakes_about_networks(recipe: Recipe) -> list[UserError]:
    """What cannot be built, or cannot follow in a stage; a metric that says nothing of one."""
    found: list[UserError] = []
    built: dict[str, Network] = {}
    for name in recipe.networks:
        try:
            built[name] = recipe.build(name)
        except UserError as error:
            found.append(error)
    for number, stage in enumerate(recipe.stages):
        if recipe.networks[0] in built and stage.network in built:
            found += _mistakes_about_stage(f"stages[{number}]", stage, built, recipe.networks[0])
    few = [network.classes for network in built.values() if network.classes <= TOP]
    if few and "top5" in recipe.metrics:
        found.append(
            UserError(
                "metrics: top5 says nothing of so few classes",
                given=f"top5 of {max(2, few[0])} classes",
                allowed=f"networks of more than {TOP} classes",
                todo="leave top5 out",
            )
        )
    return found


def _mistakes_about_stage(
    place: str, stage: Stage, built: dict[str, Network], first: str
) -> Iterator[UserError]:
    """Weights that do not go on from the stages before; features of no frozen base."""
    shapes, expected = ({p.path: p.shape for p in built[name].parameters} for name in (stage.network, first))
    if shapes != expected:
        yield UserError(
            f"{place}.network: its parameters are not those of the first stage's",
            given=stage.network,
            allowed=f"{first}, or what differs from it in what is frozen",
            todo="choose another network, or write a recipe of its own for it",
        )
    if stage.features:
        try:
            divided(built[stage.network])
        except ValueError as error:
            yield UserError(
                f"{place}.features: {error}",
                given=stage.network,
                allowed="networks that begin with frozen layers",
                todo="leave features out, or choose another network",
            )


def _in(path: Path, mistake: UserError) -> UserError:
    return UserError.from_parts({**mistake.parts, "wrong": f"{path}: {mistake.wrong}"})
