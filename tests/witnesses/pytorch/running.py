"""A PyTorch network run by hand: what a script without this suite would do around it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

HEADS = (1.0, 0.3, 0.3)  # what each head's loss counts (GoogLeNet, section 5)


class Running:
    """Inference and SGD steps of ``model``, whose output is logits or a list of them by head.

    ``fast`` is what the policy ``best`` switches on: channels-last and bfloat16.
    """

    def __init__(self, model: nn.Module, *, training: bool, fast: bool) -> None:
        layout = torch.channels_last if fast else torch.contiguous_format
        self.model = model.train(training).to(memory_format=layout)
        self.device, self.fast = next(model.parameters()).device.type, fast

    def infer(self, images: Tensor) -> Tensor:
        with torch.inference_mode():
            return self._logits(images)[0]

    def prepare_training(self, rate: float, momentum: float) -> None:
        self.optimizer = torch.optim.SGD(self.model.parameters(), rate, momentum)

    def train_step(self, images: Tensor, labels: Tensor) -> Tensor:
        self.optimizer.zero_grad()
        heads = zip(HEADS, self._logits(images), strict=False)
        loss = torch.stack([share * functional.cross_entropy(x.float(), labels) for share, x in heads]).sum()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def _logits(self, images: Tensor) -> Sequence[Tensor]:
        with torch.autocast(self.device, torch.bfloat16, enabled=self.fast):
            found = self.model(images)
        return [found] if isinstance(found, Tensor) else found
