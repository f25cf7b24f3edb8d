"""A PaddlePaddle network run by hand: what a script without this suite would do around it."""

from collections.abc import Sequence

import paddle
from paddle import Tensor, nn
from paddle.nn import functional

HEADS = (1.0, 0.3, 0.3)  # what each head's loss counts (GoogLeNet, section 5)


class Running:
    """Inference and SGD steps of ``model``, whose output is logits or a list of them by head."""

    def __init__(self, model: nn.Layer, *, training: bool) -> None:
        self.model = model
        model.train() if training else model.eval()

    def infer(self, images: Tensor) -> Tensor:
        with paddle.no_grad():
            return self._logits(images)[0]

    def prepare_training(self, rate: float, momentum: float) -> None:
        self.optimizer = paddle.optimizer.Momentum(rate, momentum, parameters=self.model.parameters())

    def train_step(self, images: Tensor, labels: Tensor) -> Tensor:
        heads = zip(HEADS, self._logits(images), strict=False)
        loss = paddle.add_n([share * functional.cross_entropy(x, labels) for share, x in heads])
        loss.backward()
        self.optimizer.step()
        self.optimizer.clear_grad()
        return loss.detach()

    def _logits(self, images: Tensor) -> Sequence[Tensor]:
        found = self.model(images)
        return [found] if isinstance(found, Tensor) else found
