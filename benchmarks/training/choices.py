"""What ``train`` can be asked for: recipe, scale, seeds, epochs, target, starting weights, checkpoints."""

import argparse
import dataclasses
from typing import get_args

from benchmarks import recipes
from benchmarks.data.images import ImageSet
from benchmarks.recipes import Recipe, Scale, Target
from benchmarks.recipes.written import SUFFIX
from benchmarks.training import starting
from benchmarks.training.checkpoint import Saving
from benchmarks.training.train import Wanted
from implementations import commandline
from implementations.errors import UserError

RECIPES_OWN = -1.0  # what --until-target alone stands for


def add(command: argparse.ArgumentParser) -> None:
    """Add the options to the command."""
    command.add_argument("recipe", help=f"{', '.join(recipes.NAMES)}, or a file of your own ({SUFFIX})")
    command.add_argument("--scale", choices=get_args(Scale), help="full (default), or small for two cores")
    command.add_argument("--skip-damaged", action="store_true", help="leave out pictures that do not decode")
    command.add_argument(
        "--framework", action="append", metavar="F", help="repeatable; default: all that train"
    )
    command.add_argument(
        "--seeds", type=commandline.positive, default=1, metavar="N", help="trainings of each framework"
    )
    command.add_argument(
        "--epochs", type=commandline.positive, metavar="E", help="of every stage; default: the recipe's"
    )
    command.add_argument(
        "--until-target",
        nargs="?",
        type=commandline.percent,
        const=RECIPES_OWN,
        metavar="PERCENT",
        help="stop after the epoch that reaches this accuracy; default: the recipe's target",
    )
    command.add_argument(
        "--weights",
        metavar="FILE",
        help="start from these, as far as they go: a file of ours, imagenet[@ORIGIN], initial",
    )
    command.add_argument(
        "--data-on-device",
        action="store_true",
        help="keep the training images on the device, where nothing resizes or augments them on the way",
    )
    command.add_argument(
        "--checkpoint-steps", type=commandline.positive, metavar="N", help="also after so many steps"
    )
    command.add_argument(
        "--checkpoint-seconds",
        type=commandline.positive,
        default=Saving.seconds,
        metavar="S",
        help="also after so many seconds (default: %(default).0f); always at an epoch's end",
    )


def recipe(options: argparse.Namespace) -> Recipe:
    """The recipe asked for, with the epochs and the target asked for."""
    starting.require(options.weights or starting.INITIAL)
    found = recipes.find(options.recipe, options.scale)
    if options.epochs is not None:
        found = found.with_epochs(options.epochs)
    if options.until_target is None:
        return found
    if options.until_target != RECIPES_OWN:
        part = found.target.part if found.target else "validation"
        found = dataclasses.replace(found, target=Target(options.until_target, part))
    if found.target is None:
        raise UserError(
            f"{found.name} has no target",
            given="--until-target without an accuracy",
            allowed="--until-target PERCENT",
            todo="name the accuracy to stop at",
        )
    return found


def wanted(options: argparse.Namespace, asked: Recipe, data: ImageSet) -> Wanted:
    """The training of the recipe ``asked`` on ``data``, as the options want it."""
    saving = Saving(options.checkpoint_steps, options.checkpoint_seconds)
    until_target = options.until_target is not None
    return Wanted(asked, data, options.weights, until_target, saving, options.data_on_device)
