"""A launcher that starts no child: the reference itself answers for every framework."""

from pathlib import Path
from typing import Any

from reference_adapter import ReferenceFramework

from implementations import certify, weights
from implementations.certificates import signed
from implementations.network import Settings
from implementations.processes import Launcher

BUILDS = {"pytorch": {"torch": "1"}, "paddle": {"paddle": "1"}, "onnxruntime": {"onnxruntime": "1"}}


class InProcess(Launcher):
    """Proves with the reference itself, in this process; exports a file of four bytes."""

    def ask(self, framework: str, task: str, arguments: Any, timeout: float) -> Any:
        shared = dict(arguments)
        if "calls" not in shared:
            return BUILDS[framework]  # of the task "versions"
        calls = shared.pop("calls")
        answer = self.exported if task.endswith(":export") else self.proven
        return [answer(framework, {**shared, **call}) for call in calls]

    def exported(self, framework: str, given: dict[str, Any]) -> dict[str, Any]:
        Path(given["model_path"]).write_bytes(b"onnx")
        return {"writer_versions": BUILDS[framework], "seconds": 1.0}

    def proven(self, framework: str, given: dict[str, Any]) -> dict[str, Any]:
        proven = certify.certify(
            ReferenceFramework(),
            settings=Settings(devices=(given["device"],), policy=given["policy"]),
            name=given["name"],
            network=given["network"],
            weights_path=given["weights_path"],
            precisions=("float64",),
            training=given.get("training", False),
        )
        about: dict[str, Any] = {"versions": BUILDS[framework]}
        if "made" in given:
            digest = weights.sha256(Path(given["model_path"]))
            about |= {"exporter": given["exporter"], "export": given["made"], "model_sha256": digest}
        return signed({**proven, **about})
