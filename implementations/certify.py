"""Makes certificates: the tasks of a child, all levels of one framework's network or exported file."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from implementations import (
    bounds,
    networks,
    policies,
    provenance,
    reduced,
    sameness,
    training_mode,
    trajectories,
    weights,
)
from implementations.certificates import SCHEMA_VERSION, Certificate, canary_expected, signed
from implementations.cost import Meter
from implementations.network import REDUCED_PRECISIONS, Framework, Settings
from implementations.sameness import Case, Finding
from implementations.spec import Network


def certify(
    framework: Framework,
    *,
    settings: Settings,
    name: str,
    network: Mapping[str, Any],
    weights_path: str,
    precisions: tuple[str, ...] = ("float64", "float32"),
    training: bool = True,
    reduced_precisions: Sequence[str] = (),
) -> Certificate:
    """Levels 0 to 3 of ``networks.build(**network)`` in this process's framework: a child's task.

    Level 3 only with ``training``, and not for a network that already differs; level 5 for those of
    ``reduced_precisions`` that the framework offers on the device, and for the settings' own. All of it
    under the settings' switches.
    """
    meter = Meter()
    timed = [settings.precision] if settings.precision in REDUCED_PRECISIONS else []
    specification = networks.build(**network)
    values = weights.load(Path(weights_path), specification)
    case = sameness.Case.on_probe(specification, values, sameness.proof_batch(specification))
    about = {
        "exporter": None,
        "training": training,
        "reduced_precisions": list(dict.fromkeys([*reduced_precisions, *timed])),
    }
    known = bounds.known_differences(name)
    findings = sameness.prove(framework, case, settings, precisions=precisions, known=known)
    for prove in _further(framework, case, specification, settings, known, about):
        if all(finding.passed for finding in findings):
            sameness.give_up_models(specification)
            findings += prove()
    return _certificate(framework, settings, name, specification, values, findings, about, meter)


def _further(
    framework: Framework,
    case: Case,
    network: Network,
    settings: Settings,
    known: bounds.Known,
    about: Mapping[str, Any],
) -> Iterator[Callable[[], Iterable[Finding]]]:
    """Levels 3 and 5, as far as they apply to ``network``: each for one that does not differ so far."""
    asked, settings = settings, dataclasses.replace(settings, precision=sameness.TIMED)
    whole, values = dataclasses.replace(case, network=network), case.weights
    if about["training"]:
        yield lambda: training_mode.prove(framework, whole, settings, known=known)
        if network.loss.kind != "none":
            yield lambda: [trajectories.prove_network(framework, network, values, settings, known=known)]
    yield lambda: reduced.prove(framework, case, settings, about["reduced_precisions"])
    if about["training"] and asked.precision in REDUCED_PRECISIONS and network.loss.kind != "none":
        yield lambda: [reduced.prove_training(framework, case, asked, known)]


def certify_export(
    framework: Framework,
    *,
    settings: Settings,
    name: str,
    exporter: str,
    network: Mapping[str, Any],
    weights_path: str,
    model_path: str,
    made: Mapping[str, Any],
) -> Certificate:
    """Level 4 of an exported file, computed by this process's framework: a child's task.

    ``made`` says who wrote the file and at what cost; it stands in the certificate beside what the
    file is made of, and is no part of the proof.
    """
    from implementations import export_sameness, onnx_file  # onnx: needed to export, not to measure

    meter = Meter()
    specification = networks.build(**network)
    values = weights.load(Path(weights_path), specification)
    case = sameness.Case.on_probe(specification, values)
    file = weights.sha256(Path(model_path))
    findings = export_sameness.prove_export(framework, case, Path(model_path), settings)
    if weights.sha256(Path(model_path)) != file:
        raise RuntimeError("the exported file was replaced while it was proven: start the proof again")
    about = {
        "exporter": exporter,
        "reduced_precisions": [],
        "model_sha256": file,
        "export": {**made, **onnx_file.described(Path(model_path))},
    }
    return _certificate(framework, settings, name, specification, values, findings, about, meter)


def _certificate(
    framework: Framework,
    settings: Settings,
    name: str,
    network: Network,
    values: weights.WeightFile,
    findings: list[sameness.Finding],
    about: Mapping[str, Any],
    meter: Meter,
) -> Certificate:
    counted = network.inference() if about["exporter"] else network
    return signed(
        {
            "schema_version": SCHEMA_VERSION,
            "framework": name,
            **about,
            "versions": framework.versions(),
            "network": network.name,
            "classes": network.classes,
            "input_shape": list(network.input_shape),
            "parameters": sum(p.size for p in counted.parameters),
            "digest": network.digest,
            "weights_sha256": weights.sha256(values.path),
            "device": settings.device,
            "precision": settings.precision,
            "policy": settings.policy,
            "switches": policies.as_data(settings.switches),
            "source": provenance.unchanged_source(),
            "processor": provenance.cpu_model(),
            "gpu": provenance.gpu(settings.device),
            "kernels": provenance.kernels(),
            "passed": all(finding.passed for finding in findings),
            "findings": [finding.as_data() for finding in findings],
            "canary": canary_expected(network, values, settings.precision).tolist(),
            "canary_bound": _canary_bound(network, settings),
            "cost": meter.read(),
        }
    )


def _canary_bound(network: Network, settings: Settings) -> float:
    if settings.precision in REDUCED_PRECISIONS:
        _, far = bounds.reduced(settings.precision)
        return far
    return bounds.values(network, settings)(network.heads[0].path)
