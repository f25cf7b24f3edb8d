"""Random changes of training images as one affine warp each, in OpenCV.

The definition is that of Keras' ImageDataGenerator (keras/src/legacy/preprocessing/image.py,
``apply_affine_transform``): an output pixel at (x, y) shows the input at

    C · R · T · S · Z · C⁻¹ · (x, y, 1),   C the move of the origin to the centre ((w−1)/2, (h−1)/2),
    R = [cos θ, −sin θ; sin θ, cos θ],  T = the shift,  S = [1, −sin s; 0, cos s],  Z = diag(zoom x, zoom y),

bilinear, and mirrored afterwards where that was drawn: one more factor, x → w − 1 − x, at the right. Keras
takes the centre and the shift of x from the height and those of y from the width, which only matters where
images are no squares: here x goes with the width. Beyond the border is 0 (``constant``) or the border's pixel
(``nearest``), before any mean is subtracted; half-way across the border, the mean of the two.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.data.preprocessing import Floats, Pixels, opencv
from implementations.weights import raw_words

Matrix = NDArray[np.float64]
DRAWS = 7
STREAM = 1 << 127  # keys of this stream, apart from those of orders and weights


@dataclass(frozen=True)
class Warp:
    """What was drawn for one image: degrees, shares of width and height, factors."""

    rotation: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    shear: float = 0.0
    zoom_x: float = 1.0
    zoom_y: float = 1.0
    is_mirrored: bool = False

    def matrix(self, height: int, width: int) -> Matrix:
        """(2, 3) float64: input coordinates (x, y) of the output's (x, y, 1), in pixels."""
        turn, shear = np.deg2rad(self.rotation), np.deg2rad(self.shear)
        x, y = (width - 1) / 2, (height - 1) / 2
        rotation = _linear(np.cos(turn), -np.sin(turn), np.sin(turn), np.cos(turn))
        shift = _move(self.shift_x * width, self.shift_y * height)
        sheared = _linear(1.0, -np.sin(shear), 0.0, np.cos(shear))
        zoom = _linear(self.zoom_x, 0.0, 0.0, self.zoom_y)
        mirror = _linear(-1.0 if self.is_mirrored else 1.0, 0.0, 0.0, 1.0)  # about the centre: w − 1 − x
        about_centre = rotation @ shift @ sheared @ zoom @ mirror
        return (_move(x, y) @ about_centre @ _move(-x, -y))[:2]


@dataclass(frozen=True)
class Augmentation:
    """Ranges that every image's warp is drawn from, uniformly and each on its own; 0 draws nothing.

    Rotation and shear to either side, in degrees; shifts to either side, as shares of the size; zoom
    between 1 − zoom and 1 + zoom, x and y apart; mirrored in half of all cases.
    """

    rotation_degrees: float = 0.0
    shift: float = 0.0
    shear_degrees: float = 0.0
    zoom: float = 0.0
    horizontal_flip: bool = False
    fill: Literal["constant", "nearest"] = "constant"

    def drawn(self, seed: int, epoch: int, index: int) -> Warp:
        """The warp of image ``index`` in ``epoch``: the same whenever it is asked for."""
        words = raw_words(STREAM + (seed << 64) + (epoch << 32) + index, DRAWS)
        unit = (words >> np.uint64(11)).astype(np.float64) / 2.0**53
        turn, right, down, shear, wider, higher = (2 * unit[:6] - 1).tolist()
        return Warp(
            rotation=self.rotation_degrees * turn,
            shift_x=self.shift * right,
            shift_y=self.shift * down,
            shear=self.shear_degrees * shear,
            zoom_x=1 + self.zoom * wider,
            zoom_y=1 + self.zoom * higher,
            is_mirrored=self.horizontal_flip and bool(unit[6] < 0.5),
        )

    def apply(self, pixels: Pixels, seed: int, epoch: int, indices: NDArray[np.intp]) -> Floats:
        """The images (n, height, width, channels), each under its own warp."""
        found = np.empty(pixels.shape, np.float32)
        for target, image, index in zip(found, pixels, indices.tolist(), strict=True):
            target[...] = self.warped(image, self.drawn(seed, epoch, index))
        return found

    def warped(self, image: Pixels, warp: Warp) -> Floats:
        """One image (height, width, channels) under ``warp``."""
        cv2 = opencv()
        height, width, _ = image.shape
        border = cv2.BORDER_CONSTANT if self.fill == "constant" else cv2.BORDER_REPLICATE
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        found: Floats = cv2.warpAffine(
            np.asarray(image, np.float32),
            warp.matrix(height, width),
            (width, height),
            flags=flags,
            borderMode=border,
        )
        return found.reshape(image.shape)


def _linear(a: float, b: float, c: float, d: float) -> Matrix:
    return np.array([[a, b, 0.0], [c, d, 0.0], [0.0, 0.0, 1.0]])


def _move(x: float, y: float) -> Matrix:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])
