"""Published ImageNet weights by name: where they are, what they must be, who made them.

Fetched once and kept in the cache; a file whose bytes are not the published ones is refused. The
SHA-256 of torchvision's files begin as their names end; the MD5 of Keras' stand in its source.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from implementations import fetching
from implementations.commandline import Notice
from implementations.errors import UserError

NAME = "imagenet"
TORCHVISION = "https://download.pytorch.org/models"
KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"
HUB = "https://huggingface.co/timm"


@dataclass(frozen=True)
class Published(fetching.PublishedFile):
    """One file of weights, the images that it was trained on, and what it is said to reach.

    ``scale`` names the images' preprocessing; ``accuracy`` is top-1 and top-5 on ImageNet's validation
    pictures in per cent, as torchvision's and Keras' tables of models have them.
    """

    scale: Literal["standard", "caffe"]
    accuracy: tuple[float, float]

    @property
    def images(self) -> str:
        """How the images' values came about, in words."""
        return IMAGES[self.scale]

    @property
    def file_name(self) -> str:
        """Kept under the checksum too: a publisher may exchange a file under the same name."""
        _, _, digest = self.checksum.partition(":")
        return f"{digest[:16]}-{super().file_name}"

    @property
    def said(self) -> str:
        return f"{super().said}; trained on images as {self.images}"


OF_VGG = "CC BY 4.0 (Visual Geometry Group, Oxford; converted by Keras)"
OF_TORCHVISION = "BSD 3-Clause (torchvision); ImageNet's terms apply"
IMAGES = {
    "standard": "RGB in 0 to 1, minus (0.485, 0.456, 0.406), divided by (0.229, 0.224, 0.225)",
    "caffe": "BGR in 0 to 255, minus (103.939, 116.779, 123.68)",
}
OF_VGG16 = (71.592, 90.382)


def _torchvision(file: str, sha256: str, accuracy: tuple[float, float]) -> Published:
    return Published(f"{TORCHVISION}/{file}", f"sha256:{sha256}", OF_TORCHVISION, "standard", accuracy)


def _keras(file: str, md5: str, accuracy: tuple[float, float]) -> Published:
    return Published(f"{KERAS}/{file}", f"md5:{md5}", OF_VGG, "caffe", accuracy)


# By network, then by origin; the first is what ``imagenet`` alone stands for.
PUBLISHED: dict[str, dict[str, Published]] = {
    "alexnet": {
        "torchvision": _torchvision(
            "alexnet-owt-7be5be79.pth",
            "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
            (56.522, 79.066),
        ),
    },
    "vgg16": {
        "torchvision": _torchvision(
            "vgg16-397923af.pth",
            "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
            OF_VGG16,
        ),
        "keras": _keras(
            "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5",
            "64373286793e3c8b2b4e3219cbf3544b",
            (71.3, 90.1),
        ),
        "timm": Published(
            f"{HUB}/vgg16.tv_in1k/resolve/b8d8aa2dd860af9233c8c67385a8097fd6c35d3f/model.safetensors",
            "sha256:57b026918159a6bf9faf8405c3a551903768e7138989d9c6224a14227203fad8",
            OF_TORCHVISION,
            "standard",
            OF_VGG16,  # the same weights under other keys
        ),
    },
    "vgg19": {
        "torchvision": _torchvision(
            "vgg19-dcbb9e9d.pth",
            "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
            (72.376, 90.876),
        ),
        "keras": _keras(
            "vgg19/vgg19_weights_tf_dim_ordering_tf_kernels.h5",
            "cbe5617147190e668d6c5d5026f83318",
            (71.3, 90.0),
        ),
    },
    "resnet18": {
        "torchvision": _torchvision(
            "resnet18-f37072fd.pth",
            "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
            (69.758, 89.078),
        ),
    },
    "resnet50": {
        "torchvision": _torchvision(
            "resnet50-0676ba61.pth",
            "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
            (76.13, 92.862),
        ),
    },
}


def is_named(text: str) -> bool:
    """Whether ``text`` asks for published weights: ``imagenet`` or ``imagenet@ORIGIN``."""
    return text.partition("@")[0] == NAME


def published(text: str, network: str) -> Published:
    """The file that ``imagenet[@ORIGIN]`` stands for; ``UserError`` where there is none of ``network``."""
    _, _, origin = text.partition("@")
    there = PUBLISHED.get(network, {})
    if not there or (origin and origin not in there):
        known = (f"{name}: {', '.join(origins)}" for name, origins in PUBLISHED.items())
        raise UserError(
            "there are no published weights of that name",
            given=f"{text} for {network}",
            allowed=f"{NAME}@ORIGIN of {'; '.join(known)}",
            todo="choose one of these, or name a file",
        )
    return there[origin] if origin else next(iter(there.values()))


def fetch(file: Published, folder: Path, notice: Notice) -> Path:
    """``file`` out of ``folder``, fetched into it if it is not there; ``UserError`` if that fails."""
    return fetching.fetch(file, folder, "the published weights", notice)
