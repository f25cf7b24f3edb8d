"""A certificate: that one framework's network was compared with the reference, and how far apart they were.

It is made once per network, digest, framework build, device, precision and policy, and holds until
this project's code or the processor changes. Its id stands in every result; a measuring process
checks its own logits against the certificate's canary.
"""

import datetime
import hashlib
import json
import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from implementations import reference, sameness, weights
from implementations.errors import UserError
from implementations.files import replacing
from implementations.network import REDUCED_PRECISIONS, Array, Built
from implementations.spec import Network

SCHEMA_VERSION = 1
UNSIGNED = ("id", "made", "export", "cost")  # the same proof has the same id, whenever it is made

Certificate = dict[str, Any]


# --- The canary ---------------------------------------------------------------------------


def canary_expected(network: Network, values: weights.Weights, precision: str) -> Array:
    """(classes,) main logits of the canary's image, by the reference."""
    images = _canary_image(network, precision)
    bare = network.inference()
    return np.asarray(reference.forward(bare, values, images)[bare.heads[0].path][0])


def canary_difference(certificate: Certificate, network: Network, built: Built) -> float:
    """How far this process's logits of the canary are from the certificate's."""
    images = _canary_image(network, certificate["precision"])
    return sameness.difference(built.outputs(images)[0], np.asarray(certificate["canary"]))


def _canary_image(network: Network, precision: str) -> Array:
    """The first image of the proof of ``precision``, in which it is timed."""
    if precision in REDUCED_PRECISIONS:
        return weights.probe_images(network, sameness.PROBE_SEED, 1, sameness.UNIT_SCALE)
    return weights.probe_images(network, sameness.PROBE_SEED, 1)


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


def holds(certificate: Certificate, wanted: Mapping[str, Any], reduced_precisions: Collection[str]) -> bool:
    """Whether an earlier proof can stand for one made now.

    Every field in ``wanted`` is as it was, and it held at level 5 for ``reduced_precisions`` at least.
    """
    unchanged = all(certificate.get(field) == value for field, value in wanted.items())
    covered = set(reduced_precisions) <= set(certificate.get("reduced_precisions", ()))
    return bool(certificate["passed"] and unchanged and covered)


def at_level(certificate: Certificate, level: int, precision: str | None = None) -> list[dict[str, Any]]:
    """The certificate's findings at a level, in one precision or in all."""
    return [
        finding
        for finding in certificate["findings"]
        if finding["level"] == level and precision in (None, finding["precision"])
    ]


def refusal(certificate: Certificate) -> str:
    """Why nothing is measured or trained on a proof that failed, in one line."""
    return f"not the same network: {first_breach(certificate)}"


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
