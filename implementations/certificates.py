"""A certificate: that one framework's network was compared with the reference, and how far apart they were.

It is made once per network, digest, framework build, device, precision and policy, and holds until
this project's code or the processor changes. Its id stands in every result; a measuring process
checks its own logits against the certificate's canary.
"""

import dataclasses
import datetime
import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from implementations import (
    bounds,
    networks,
    provenance,
    reference,
    sameness,
    training_mode,
    trajectories,
    weights,
)
from implementations.errors import UserError
from implementations.files import replacing
from implementations.network import Array, Built, Framework, Settings
from implementations.spec import Network

SCHEMA_VERSION = 1
UNSIGNED = ("id", "made", "export")  # the same proof has the same id, whenever it is made

Certificate = dict[str, Any]


def certify(
    framework: Framework,
    *,
    settings: Settings,
    name: str,
    network: Mapping[str, Any],
    weights_path: str,
    precisions: tuple[str, ...] = ("float64", "float32"),
    thorough: bool = True,
) -> Certificate:
    """Levels 0 to 3 of ``networks.build(**network)`` in this process's framework: a child's task.

    Level 3 is not tried on a network that already differs, and on a large one only if ``thorough``.
    """
    specification = networks.build(**network)
    values = weights.load(Path(weights_path), specification)
    case = sameness.Case.on_probe(specification, values, sameness.proof_batch(specification))
    known = bounds.known_differences(name)
    findings = sameness.prove(framework, case, settings, precisions=precisions, known=known)
    about = {"exporter": None, "thorough": thorough or not sameness.is_large(specification)}
    if about["thorough"] and all(finding.passed for finding in findings):
        whole = dataclasses.replace(case, network=specification)
        findings += training_mode.prove(framework, whole, settings, known=known)
        if all(finding.passed for finding in findings) and specification.loss.kind != "none":
            steps = trajectories.prove_network(framework, specification, values, settings, known=known)
            findings.append(steps)
    return _certificate(framework, settings, name, specification, values, findings, about)


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

    specification = networks.build(**network)
    values = weights.load(Path(weights_path), specification)
    case = sameness.Case.on_probe(specification, values)
    findings = export_sameness.prove_export(framework, case, Path(model_path), settings)
    about = {
        "exporter": exporter,
        "thorough": True,
        "model_sha256": weights.sha256(Path(model_path)),
        "export": {**made, **onnx_file.described(Path(model_path))},
    }
    return _certificate(framework, settings, name, specification, values, findings, about)


def _certificate(
    framework: Framework,
    settings: Settings,
    name: str,
    network: Network,
    values: weights.WeightFile,
    findings: list[sameness.Finding],
    about: Mapping[str, Any],
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
            "source": provenance.source(),
            "processor": provenance.cpu_model(),
            "passed": all(finding.passed for finding in findings),
            "findings": [finding.as_data() for finding in findings],
            "canary": canary_expected(network, values).tolist(),
            "canary_bound": bounds.values(network, settings)(network.heads[0].path),
        }
    )


# --- The canary ---------------------------------------------------------------------------


def canary_expected(network: Network, values: weights.Weights) -> Array:
    """(classes,) main logits of the proof's first image, by the reference."""
    images = weights.probe_images(network, sameness.PROBE_SEED, 1)
    bare = network.inference()
    return np.asarray(reference.forward(bare, values, images)[bare.heads[0].path][0])


def canary_difference(certificate: Certificate, network: Network, built: Built) -> float:
    """How far this process's logits of the canary are from the certificate's."""
    images = weights.probe_images(network, sameness.PROBE_SEED, 1)
    return sameness.difference(built.outputs(images)[0], np.asarray(certificate["canary"]))


# --- Files --------------------------------------------------------------------------------


def signed(certificate: Certificate) -> Certificate:
    """The certificate with its id, a hash of all that was compared, and the date."""
    made = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {**certificate, "id": identity(certificate), "made": made}


def identity(certificate: Certificate) -> str:
    content = {key: value for key, value in certificate.items() if key not in UNSIGNED}
    text = json.dumps(strict(content), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def strict(value: Any) -> Any:
    """``value`` with infinities as text: JSON has no word for them."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: strict(item) for key, item in value.items()}
    return [strict(item) for item in value] if isinstance(value, list | tuple) else value


def write(path: Path, certificate: Certificate) -> None:
    """Write the certificate as JSON."""
    with replacing(path, "a certificate") as temporary:
        temporary.write_text(json.dumps(strict(certificate), indent=1))


def read(path: Path) -> Certificate:
    """The certificate in ``path``; ``UserError`` if it is missing, damaged or was changed by hand."""
    try:
        certificate: Certificate = json.loads(path.read_text())
        intact = certificate["id"] == identity(certificate)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused(path, f"the certificate cannot be read ({type(error).__name__}: {error})") from None
    if not intact:
        raise _refused(path, "the certificate's id does not fit its content")
    return certificate


def holds(certificate: Certificate, wanted: Mapping[str, Any], *, thorough: bool) -> bool:
    """Whether an earlier proof can stand for one made now: every field in ``wanted`` is as it was."""
    unchanged = all(certificate.get(field) == value for field, value in wanted.items())
    return bool(certificate["passed"] and unchanged and (certificate.get("thorough") or not thorough))


def first_breach(certificate: Certificate) -> str:
    """One line naming the first differing layer; empty if the proof holds."""
    for finding in certificate["findings"]:
        breach = finding["breach"]
        if breach:
            level = f"level {finding['level']} ({sameness.LEVELS[finding['level']]}, {finding['precision']})"
            apart = "" if breach["difference"] is None else f", {float(breach['difference']):.2g} apart"
            return (
                f"{level}: first differing: {breach['path']}{apart} (bound {breach['bound']:.0e}); "
                f"expected {breach['expected']}, got {breach['got']}"
            )
    return "" if certificate["passed"] else certificate.get("failure", "nothing was compared")


def _refused(path: Path, wrong: str) -> UserError:
    return UserError(
        wrong,
        given=path,
        allowed="a certificate that this project wrote",
        todo="delete the file so that it is made again",
    )
