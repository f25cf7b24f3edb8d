"""Level 4: an exported file against the specification, its weight file and the reference.

Needs ``onnx`` beside what executes the file; a measuring child does not import this.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from implementations import bounds, reference
from implementations.errors import RefusedFileError
from implementations.network import Framework, Settings
from implementations.onnx_file import OnnxFile, required
from implementations.sameness import Breach, Case, Finding, compare, equal

SMALL = 50 * 10**6  # multiply-adds an image that ONNX's own reference, in Python, computes in seconds


def prove_export(framework: Framework, case: Case, model: Path, settings: Settings) -> list[Finding]:
    """Level 4 of the ONNX file ``model``, executed by ``framework``.

    In this order: what the file declares; its parameters, bit for bit; the main logits at two batch
    sizes; those of small networks by ONNX's own reference implementation as well. A file that
    declares something else is not executed.
    """
    bare = dataclasses.replace(case, network=case.network.inference())
    file = OnnxFile(model, bare.network)
    declared = equal(4, settings, "file", required(bare.network), file.declared())
    if not declared.passed:
        return [declared]
    return [declared, _parameters(bare, file, settings), *_logits(framework, bare, file, settings)]


def _parameters(case: Case, file: OnnxFile, settings: Settings) -> Finding:
    paths = (parameter.path for parameter in case.network.parameters)
    pairs = ((path, file.parameters[path], case.weights[path]) for path in paths)
    return compare(4, settings, "parameters", pairs, lambda path: 0.0)


def _logits(framework: Framework, case: Case, file: OnnxFile, settings: Settings) -> Iterator[Finding]:
    """The main logits: by the framework at two batch sizes, and by ONNX's reference on one image."""
    head, bound = case.network.heads[0].path, bounds.exported(settings)
    expected = reference.forward(case.network, case.weights, case.images)[head]
    try:
        built: Any = framework.build(case.network, file.path, settings, training=False)
    except RefusedFileError as error:  # a file that the engine refuses is no user's mistake here
        breach = Breach("file", None, bound, "a file that can be loaded", error.parts["wrong"])
        yield Finding(4, settings.precision, "timed", 0, 0.0, "", breach)
        return
    pairs = [(head, built.outputs(case.images[:n]), expected[:n]) for n in (1, len(case.images))]
    yield compare(4, settings, "timed", pairs, lambda _: bound)
    if case.network.multiply_adds < SMALL:
        pairs = [(head, file.evaluate(case.images[:1]), expected[:1])]
        yield compare(4, settings, "onnx.reference", pairs, lambda _: bound)
