"""From stored pixels to what a network is fed, as each source says; OpenCV where images are resized."""

import functools
import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from implementations.errors import UserError

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8] | Floats
Scale = Literal["unit", "caffe", "standard"]


def _of_channels(values: list[float]) -> Floats:
    return np.array(values, np.float32)[:, None, None]


# Of ImageNet's training images. Caffe's: blue, green, red in 0 … 255, as VGG was trained (Simonyan and
# Zisserman 2014, their model files). Torchvision's: red, green, blue in 0 … 1.
CAFFE_MEAN = _of_channels([103.939, 116.779, 123.68])
STANDARD_MEAN = _of_channels([0.485, 0.456, 0.406])
STANDARD_DEVIATION = _of_channels([0.229, 0.224, 0.225])
BYTE = 255
RGB = 3
LARGEST_PICTURE = 1 << 25  # pixels that OpenCV decodes; 8,192 × 4,096, say


@dataclass(frozen=True)
class Preprocessing:
    """Bilinear resize to ``size`` (height, width), then one of three scales.

    ``unit``: divided by the pixels' maximum. ``caffe``: blue, green, red in 0 … 255 minus their mean.
    ``standard``: red, green, blue in 0 … 1, minus mean, divided by deviation. Grey images are repeated into
    ``channels``; the last two scales need three.
    """

    size: tuple[int, int] | None = None
    scale: Scale = "unit"
    channels: int | None = None

    def apply(self, images: NDArray[np.uint8], maximum: int = BYTE) -> Floats:
        """(n, channels, height, width) float32 from (n, height, width, channels) uint8."""
        return self.scaled(self.resized(images), maximum)

    def resized(self, images: NDArray[np.uint8]) -> Pixels:
        """The images in ``size``, not rounded: float32, same range; as they are if it is theirs."""
        if self.size is None or self.size == images.shape[1:3]:
            return images
        cv2 = opencv()
        height, width = self.size
        found = np.empty((len(images), height, width, images.shape[3]), np.float32)
        for target, image in zip(found, images, strict=True):
            pixels = image.astype(np.float32)
            target[...] = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR).reshape(
                target.shape
            )
        return found

    def table(self, channels: int, maximum: int = BYTE) -> Floats:
        """(channels fed, 256) float32: what each value of a pixel of ``channels`` becomes in each channel."""
        values = np.arange(BYTE + 1, dtype=np.uint8)[None, :, None, None].repeat(channels, axis=3)
        return self.scaled(values, maximum)[0, :, :, 0]

    def planes(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(n, channels fed, height, width) uint8: the pixels that ``table`` is to be asked for, copied."""
        order = np.arange(images.shape[3])
        if self.channels is not None and len(order) == 1:
            order = order.repeat(self.channels)
        order = order[::-1] if self.scale == "caffe" else order
        return np.ascontiguousarray(images.transpose(0, 3, 1, 2)[:, order])

    def scaled(self, pixels: Pixels, maximum: int = BYTE) -> Floats:
        """(n, channels, height, width) in the chosen scale; (n, height, width, channels) in 0 … maximum."""
        if self.channels is not None and pixels.shape[3] == 1:
            pixels = pixels.repeat(self.channels, axis=3)
        if self.scale != "unit" and pixels.shape[3] != RGB:
            raise UserError(
                f"{self.scale!r} preprocessing needs colours",
                given=f"images of {pixels.shape[3]} channels",
                allowed=f"{RGB} channels",
                todo="set channels = 3 in the preprocessing, or choose 'unit'",
            )
        planes = pixels.transpose(0, 3, 1, 2)
        found = np.empty(planes.shape, np.float32)
        SCALES[self.scale](planes, np.float32(maximum), found)
        return found


def _unit(planes: Pixels, maximum: np.float32, out: Floats) -> None:
    np.divide(planes, maximum, out=out)


def _caffe(planes: Pixels, maximum: np.float32, out: Floats) -> None:
    np.multiply(planes[:, ::-1], np.float32(BYTE) / maximum, out=out)
    np.subtract(out, CAFFE_MEAN, out=out)


def _standard(planes: Pixels, maximum: np.float32, out: Floats) -> None:
    _unit(planes, maximum, out)
    np.subtract(out, STANDARD_MEAN, out=out)
    np.divide(out, STANDARD_DEVIATION, out=out)


SCALES: dict[str, Callable[[Pixels, np.float32, Floats], None]] = {
    "unit": _unit,
    "caffe": _caffe,
    "standard": _standard,
}


def opencv_version() -> str | None:
    """Of the OpenCV that resizes and augments here; ``None`` where there is none."""
    return str(opencv().__version__) if importlib.util.find_spec("cv2") else None


@functools.cache  # setting it up anew for every picture would take longer than the picture
def opencv() -> Any:
    """OpenCV, on one thread: batches are made side by side, and frameworks count on their cores.

    It reads its bound of a picture's pixels from the environment, once, when it is imported.
    """
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(LARGEST_PICTURE))
    try:
        import cv2  # a child that neither resizes nor augments does without
    except ModuleNotFoundError:
        raise UserError(
            "images cannot be resized, decoded or augmented without OpenCV",
            given="an environment without it",
            allowed="one with opencv-python-headless",
            todo="install that package there",
        ) from None
    cv2.setNumThreads(1)
    cv2.utils.logging.setLogLevel(
        cv2.utils.logging.LOG_LEVEL_SILENT
    )  # what it would say of a damaged picture is said by who asked for it
    return cv2
