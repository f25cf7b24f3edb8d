"""Keras: the specification as a functional model, on the backend chosen for the process.

One adapter a backend, and the same module on every one. TensorFlow's writes the ONNX files of all:
JAX's would need another package (jax2onnx), and PyTorch's loses the parameters' names and layout.
"""

from implementations.adapter import Adapter


def _on(backend: str, package: str, rank: int, *, compiles: bool = False, **environment: str) -> Adapter:
    return Adapter(
        f"keras-{backend}",
        f"{__name__}.adapter",
        ("keras", package),
        {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "2", **environment},
        compiles=compiles,
        exports_as=None if backend == "tensorflow" else "keras-tensorflow",
        rank=rank,
    )


ADAPTERS = (
    _on("tensorflow", "tensorflow", 2),
    # OpenMP's variable does not reach XLA's own thread pool; a GPU's memory is taken as it is needed.
    _on("jax", "jax", 3, compiles=True, PJRT_NPROC="{threads}", XLA_PYTHON_CLIENT_PREALLOCATE="false"),
    _on("torch", "torch", 4, KERAS_TORCH_DEVICE="{device}"),
)
