"""Layer tables of a run's networks, by arithmetic on the specification. Nothing about HTML."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from implementations import describe
from implementations.describe import shown
from reports.proofs import Proof


@dataclass(frozen=True)
class Layer:
    """One layer of a network, for one image."""

    index: int
    name: str
    kind: str
    inputs: str  # shapes
    output: str
    parameters: int
    multiply_adds: int
    auxiliary: bool


@dataclass(frozen=True)
class Table:
    """A network with its layers and totals, of all layers and of those that inference computes."""

    network: str
    source: str
    digest: str
    input_shape: str
    classes: int
    totals: Mapping[str, int]
    inference: Mapping[str, int]
    layers: tuple[Layer, ...]


def tables(proofs: Iterable[Proof]) -> tuple[Table, ...]:
    """A table for every proven network whose specification this checkout still has, in the proofs' order."""
    networks = {proof.digest: proof.specification for proof in proofs}
    return tuple(_table(describe.as_data(network)) for network in networks.values() if network is not None)


def _table(data: Mapping[str, Any]) -> Table:
    return Table(
        network=data["network"],
        source=data["source"],
        digest=data["digest"],
        input_shape=shown(tuple(data["input_shape"])),
        classes=data["classes"],
        totals=data["totals"],
        inference=data["totals_without_auxiliary"],
        layers=tuple(_layer(row) for row in data["layers"]),
    )


def _layer(row: Mapping[str, Any]) -> Layer:
    return Layer(
        index=row["index"],
        name=row["name"],
        kind=row["type"],
        inputs=" + ".join(dict.fromkeys(shown(tuple(shape)) for shape in row["input_shapes"])),
        output=shown(tuple(row["output_shape"])),
        parameters=row["parameters"],
        multiply_adds=row["multiply_adds"],
        auxiliary=row["auxiliary"],
    )
