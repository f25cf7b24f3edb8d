"""What the networks are, whether they are the same, and their weights in other libraries' files.

python -m implementations describe|check|export|convert
"""

import sys

if not __package__:  # started as a file or a folder: nothing of the project could be imported
    print("error: started by path; run 'python -m implementations' in the project's root", file=sys.stderr)
    sys.exit(2)

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from implementations import commandline, networks
from implementations.commandline import Parser, image_size, positive
from implementations.describe import as_data, as_table

# Everything beyond the standard library is imported by the command that needs it: describe starts at once.


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    return int(options.run(options))


def parser() -> Parser:
    root = Parser(prog="python -m implementations", description=__doc__)
    commands = root.add_subparsers(
        required=True, metavar="describe|check|export|convert", parser_class=Parser
    )
    _add_describe(commands.add_parser("describe", help="print a network's layer table"))
    _add_check(commands.add_parser("check", help="prove that every framework computes the same networks"))
    _add_export(commands.add_parser("export", help="write a network to an ONNX file"))
    _add_convert(commands.add_parser("convert", help="carry weights from one library's file into another's"))
    return root


def _add_describe(command: argparse.ArgumentParser) -> None:
    command.add_argument("network", help=", ".join(networks.NETWORKS))
    _add_size(command)
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")
    command.set_defaults(run=_describe)


def _add_check(command: argparse.ArgumentParser) -> None:
    command.add_argument("--network", action="append", metavar="N", help="repeatable; default: all")
    command.add_argument(
        "--framework", action="append", metavar="F", help="repeatable; default: all installed"
    )
    _add_size(command)
    command.add_argument("--exports", action="store_true", help="level 4 alone, with a table of the files")
    command.add_argument("--reduced", action="store_true", help="at sizes that take minutes")
    command.add_argument(
        "--levels", choices=("all", "0-2"), default="all", help="0-2: counts, values and gradients alone"
    )
    command.add_argument("--mutants", action="store_true", help="prove instead that the proof catches slips")
    command.add_argument(
        "--optimizers", action="store_true", help="prove instead every optimizer in its framework's form"
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="write the certificates to FILE")
    commandline.add_machine_options(command)
    command.set_defaults(run=_check)


def _add_export(command: argparse.ArgumentParser) -> None:
    command.add_argument("network", help=", ".join(networks.NETWORKS))
    command.add_argument("file", type=Path, help="the ONNX file to write")
    command.add_argument("--framework", required=True, metavar="F", help="the framework that exports")
    command.add_argument(
        "--weights", metavar="W", help="a file, or imagenet[@ORIGIN]; default: seeded probe weights"
    )
    _add_size(command)
    commandline.add_machine_options(command)
    command.set_defaults(run=_export)


def _add_convert(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "source", metavar="FROM", help="a weight file, or imagenet[@ORIGIN]: published weights"
    )
    command.add_argument("target", metavar="TO", help="the file to write; its end names the format")
    command.add_argument("--network", required=True, metavar="N", help="whose weights they are")
    command.add_argument(
        "--keys",
        choices=("ours", "torchvision", "timm", "keras", "paddle"),
        default="ours",
        help="under whose names TO holds them; FROM's are recognised",
    )
    _add_size(command)
    commandline.add_children_options(command)
    command.set_defaults(run=_convert)


def _add_size(command: argparse.ArgumentParser) -> None:
    command.add_argument("--classes", type=positive, metavar="N", help="outputs; default: the paper's")
    command.add_argument("--input", type=image_size, metavar="HxW", help="pixels; default: the paper's")


def _describe(options: argparse.Namespace) -> int:
    network = networks.build(options.network, classes=options.classes, input_size=options.input)
    print(json.dumps(as_data(network), indent=1) if options.json else as_table(network))
    return 0


def _check(options: argparse.Namespace) -> int:
    from implementations import check

    return check.run(options)


def _export(options: argparse.Namespace) -> int:
    from implementations import check

    return check.export(options)


def _convert(options: argparse.Namespace) -> int:
    from implementations import convert

    return convert.run(options)


if __name__ == "__main__":
    sys.exit(commandline.run(main))
