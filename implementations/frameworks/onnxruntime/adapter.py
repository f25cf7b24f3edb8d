"""ONNX Runtime on a file that another framework exported.

Its weights come from the file, so an export check is the ordinary comparison of outputs. Inference
only: there are no named activations and no gradients.
"""

import contextlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime as ort

from implementations import gpus, spec
from implementations.errors import RefusedFileError, UserError
from implementations.network import Array, Settings, cuda_precisions

REPORTED = ("use_tf32", "cudnn_conv_algo_search", "arena_extend_strategy", "enable_cuda_graph")
RECORD_PLACES = "session.record_ep_graph_assignment_info"
# Shapes are computed on the CPU by design; these are what a network's time goes into.
LAYERS = {"Conv", "FusedConv", "Gemm", "MatMul", "FusedMatMul", "LRN", "BatchNormalization", "Concat", "Relu"}
LAYERS |= {"MaxPool", "AveragePool", "GlobalAveragePool"}
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


def configure(settings: Settings) -> None:
    """Threads and providers belong to a session: see ``OnnxNetwork``. NVIDIA's libraries to the process."""
    if settings.device.startswith("cuda") and hasattr(ort, "preload_dlls"):
        ort.preload_dlls()  # from their packages: nothing else brings them where no PyTorch is imported


def versions() -> dict[str, str]:
    built_for = getattr(ort, "cuda_version", "")
    return {"onnxruntime": ort.__version__, **({"cuda": built_for} if built_for else {})}


def cuda_devices() -> list[str]:
    """The first one's name, by the driver: ONNX Runtime tells none, nor whether its own library will load."""
    if PROVIDERS["cuda"] not in ort.get_available_providers():
        return []
    found = gpus.card("cuda:0")
    return [found.name] if found else []


def precisions(device: str) -> tuple[str, ...]:
    """A file's tensors have their own types: only TF32 can be chosen when it is loaded."""
    found = gpus.card(device)
    return ("tf32",) if found and "tf32" in cuda_precisions(found.capability) else ()


def running_variance(device: str) -> str:
    return ""  # inference only


def build(network: spec.Network, weights: Path, settings: Settings, *, training: bool) -> "OnnxNetwork":
    if training:
        raise TypeError("ONNX Runtime runs exported inference networks only")
    return OnnxNetwork(network.inference(), weights, settings)


class Batch(NamedTuple):
    images: Any


class OnnxNetwork:
    """An exported network; the part of ``implementations.network.Built`` that inference needs."""

    def __init__(self, network: spec.Network, model: Path, settings: Settings) -> None:
        self.network, self.device = network, settings.device.partition(":")[0]
        options = ort.SessionOptions()
        options.intra_op_num_threads = settings.threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry(RECORD_PLACES, "1")
        name, switches = PROVIDERS[self.device], dict[str, str]()
        if self.device == "cuda":  # TF32 and the search for algorithms are on by default
            switches["use_tf32"] = "1" if settings.precision == "tf32" else "0"
            switches["cudnn_conv_algo_search"] = "EXHAUSTIVE" if settings.switches.autotune else "DEFAULT"
        providers: Any = [(name, switches)]  # no fall-back to the CPU
        try:
            self.session = ort.InferenceSession(model, options, providers=providers)
        except Exception as error:  # ONNX Runtime has no common base class for its own
            raise RefusedFileError(
                f"ONNX Runtime cannot load the model ({type(error).__name__}: {error})",
                given=model,
                allowed="an ONNX file that this project exported",
                todo="delete the file so that it is exported again",
            ) from None
        self.places = _places(self.session)
        used = self.session.get_providers()[0]
        others = [place for place, nodes in self.places.items() if place != name and nodes & LAYERS]
        if used != name or others:
            raise UserError(
                "ONNX Runtime does not run on the provider asked for",
                given=", ".join([used, *others]),
                allowed=f"{name} for every layer",
                todo="install the build of ONNX Runtime for this device, or use --device cpu",
            )
        (model_input,) = self.session.get_inputs()
        self.input, self.output = model_input.name, self.session.get_outputs()[0].name
        self.channels_last = _is_channels_last(model_input.shape, network)

    def outputs(self, images: Array) -> Array:
        with self.inferring():
            found = np.asarray(self.infer(self.put(images)).numpy())
        is_map = found.ndim == 4  # a base's features
        return found.transpose(0, 3, 1, 2) if is_map and self.channels_last else found

    def put(self, images: Array, labels: Array | None = None) -> Batch:
        ordered = images.transpose(0, 2, 3, 1) if self.channels_last else images
        contiguous = np.ascontiguousarray(ordered, np.float32)
        return Batch(ort.OrtValue.ortvalue_from_numpy(contiguous, self.device, 0))

    def inferring(self) -> contextlib.AbstractContextManager[Any]:
        return contextlib.nullcontext()

    def infer(self, batch: Batch) -> Any:
        """The main logits, left on the device."""
        binding = self.session.io_binding()
        binding.bind_ortvalue_input(self.input, batch.images)
        binding.bind_output(self.output, self.device)
        self.session.run_with_iobinding(binding)
        return binding.get_outputs()[0]

    def read(self, result: Any) -> Array:
        return np.asarray(result.numpy())

    def switches(self) -> dict[str, str]:
        options, provider = self.session.get_session_options(), self.session.get_providers()[0]
        found = {
            "threads": str(options.intra_op_num_threads),
            "interop_threads": str(options.inter_op_num_threads),
            "graph_optimization": options.graph_optimization_level.name,
            "provider": provider,
            "also_on": ", ".join(place for place in self.places if place != provider) or "no other",
        }
        chosen = self.session.get_provider_options().get(provider, {})
        return {**found, **{name: str(value) for name, value in chosen.items() if name in REPORTED}}

    def synchronize(self) -> None:
        """``run_with_iobinding`` returns when the outputs are there."""

    def peak_device_bytes(self) -> int | None:
        return None  # ONNX Runtime's arena does not report a peak


def _places(session: ort.InferenceSession) -> dict[str, set[str]]:
    """Kinds of nodes by the provider that computes them; empty where this version does not tell."""
    found: dict[str, set[str]] = {}
    if hasattr(session, "get_provider_graph_assignment_info"):
        for part in session.get_provider_graph_assignment_info():
            found.setdefault(part.ep_name, set()).update(node.op_type for node in part.get_nodes())
    return found


def _is_channels_last(shape: list[Any], network: spec.Network) -> bool:
    """Whether the model's images are (batch, height, width, channels): Keras' export is."""
    channels, height, width = network.input_shape
    if shape[1:] == [channels, height, width]:
        return False
    if shape[1:] == [height, width, channels]:
        return True
    raise RefusedFileError(
        "the model's input has another shape than the network's",
        given=str(shape),
        allowed=f"(batch, {channels}, {height}, {width}) or (batch, {height}, {width}, {channels})",
        todo="export the network again",
    )
