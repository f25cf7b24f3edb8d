"""A Paddle network in the framework's own inference engine: oneDNN on the CPU, its passes on a GPU."""

import tempfile
from typing import Any

import paddle
from paddle import Tensor, nn
from paddle.inference import Config, create_predictor
from paddle.static import InputSpec

from implementations import spec
from implementations.network import Settings

GPU_MEMORY_MB = 256  # to begin with; it grows


class Engine:
    """Runs the main head of ``module`` as it is when the engine is made."""

    def __init__(self, module: nn.Layer, network: spec.Network, settings: Settings) -> None:
        images = InputSpec([None, *network.input_shape], "float32", "images")
        with tempfile.TemporaryDirectory(prefix="engine-") as folder:
            paddle.jit.save(module, f"{folder}/model", input_spec=[images])
            self.config = _config(folder, settings)
            self.predictor = create_predictor(self.config)

    def run(self, images: Tensor) -> Tensor:
        """Main logits (batch, classes)."""
        (logits, *_) = self.predictor.run([images])
        return logits

    def switches(self) -> dict[str, str]:
        return {
            "engine_onednn": str(self.config.mkldnn_enabled()),
            "engine_ir_optim": str(self.config.ir_optim()),
            "engine_threads": str(self.config.cpu_math_library_num_threads()),
            "engine_gpu": str(self.config.use_gpu()),
        }


def _config(folder: str, settings: Settings) -> Any:
    config = Config(f"{folder}/model.json", f"{folder}/model.pdiparams")
    config.disable_glog_info()
    if settings.device.startswith("cuda"):
        config.enable_use_gpu(GPU_MEMORY_MB, int(settings.device.partition(":")[2] or 0))
    else:
        config.disable_gpu()
        config.enable_mkldnn()
        config.set_cpu_math_library_num_threads(settings.threads)
    return config
