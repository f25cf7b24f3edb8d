"""What networks are fed, against numbers worked out by hand."""

import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.data import preprocessing
from benchmarks.data.preprocessing import Preprocessing
from implementations.errors import UserError

ROUNDING = 2e-7  # relative, a few float32 operations


def pixel(*values: int) -> NDArray[np.uint8]:
    """One image of one pixel."""
    return np.array(values, np.uint8).reshape(1, 1, 1, -1)


def fed(images: NDArray[np.uint8], preprocessing: Preprocessing, maximum: int = 255) -> list[float]:
    return preprocessing.apply(images, maximum).reshape(-1).tolist()


@pytest.mark.parametrize(
    ("rule", "stored", "maximum"),
    [
        (Preprocessing(), 1, 255),
        (Preprocessing(), 1, 16),
        (Preprocessing(channels=3), 1, 255),
        (Preprocessing(scale="caffe"), 3, 255),
        (Preprocessing(scale="caffe", channels=3), 1, 16),
        (Preprocessing(scale="standard"), 3, 255),
        (Preprocessing(scale="standard", channels=3), 1, 255),
    ],
)
def test_looking_values_up_gives_the_same_bits(rule: Preprocessing, stored: int, maximum: int) -> None:
    images = np.random.default_rng(0).integers(0, maximum + 1, (5, 8, 7, stored)).astype(np.uint8)
    planes, table = rule.planes(images), rule.table(stored, maximum)
    found = table[np.arange(len(table))[:, None, None], planes]
    assert (planes.dtype, table.shape[1]) == (np.uint8, 256)
    assert np.array_equal(found, rule.apply(images, maximum))


def test_unit_is_divided_by_the_maximum() -> None:
    assert fed(pixel(0, 51, 255), Preprocessing()) == [0.0, np.float32(0.2), 1.0]  # 51/255 rounded once
    assert fed(pixel(0, 4, 16), Preprocessing(), maximum=16) == [0.0, 0.25, 1.0]


def test_caffe_is_blue_green_red_minus_their_means() -> None:
    found = fed(pixel(10, 20, 30), Preprocessing(scale="caffe"))
    assert found == pytest.approx([30 - 103.939, 20 - 116.779, 10 - 123.68], rel=ROUNDING)


def test_standard_is_normalised_by_imagenets_mean_and_deviation() -> None:
    found = fed(pixel(255, 0, 51), Preprocessing(scale="standard"))
    expected = [(1 - 0.485) / 0.229, (0 - 0.456) / 0.224, (0.2 - 0.406) / 0.225]
    assert found == pytest.approx(expected, rel=10 * ROUNDING)  # the last one cancels a digit


def test_other_maxima_are_brought_to_bytes_first() -> None:
    found = fed(pixel(16, 0, 4), Preprocessing(scale="caffe"), maximum=16)
    assert found == pytest.approx([255 / 4 - 103.939, -116.779, 255 - 123.68], rel=10 * ROUNDING)


@pytest.mark.parametrize("scale", preprocessing.SCALES)
def test_grey_is_repeated_where_three_channels_are_asked_for(scale: preprocessing.Scale) -> None:
    grey, coloured = pixel(77), pixel(77, 77, 77)
    repeated = Preprocessing(scale=scale, channels=3)
    assert fed(grey, repeated) == fed(coloured, Preprocessing(scale=scale))


def test_colours_stay_as_they_are_where_three_channels_are_asked_for() -> None:
    assert fed(pixel(0, 51, 255), Preprocessing(channels=3)) == fed(pixel(0, 51, 255), Preprocessing())


def test_channels_come_first() -> None:
    images = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)
    found = Preprocessing().apply(images, maximum=1)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, np.moveaxis(images, 3, 1))


def bilinear(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.float64]:
    """The definition: pixels are squares, their values stand at the centres; the border is repeated."""
    rows, columns, _ = image.shape
    found = np.empty((height, width, image.shape[2]))
    for y in range(height):
        for x in range(width):
            v = min(max((y + 0.5) * rows / height - 0.5, 0), rows - 1)
            u = min(max((x + 0.5) * columns / width - 0.5, 0), columns - 1)
            top, left = int(v), int(u)
            below, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
            upper = image[top, left] * (1 - (u - left)) + image[top, right] * (u - left)
            lower = image[below, left] * (1 - (u - left)) + image[below, right] * (u - left)
            found[y, x] = upper * (1 - (v - top)) + lower * (v - top)
    return found


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(14, 10), (3, 9), (6, 5), (7, 5)], ids=str)
def test_resizing_is_bilinear_and_not_rounded(size: tuple[int, int], channels: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 7, 5, channels), np.uint8)
    found = Preprocessing(size=size).resized(images)
    expected = np.stack([bilinear(image, *size) for image in images])
    # OpenCV's weights are float32: 255 times a few of their roundings
    np.testing.assert_allclose(found, expected, atol=255 * 4e-7)


def test_the_size_that_images_have_needs_no_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    preprocessing.opencv.cache_clear()
    images = np.zeros((2, 28, 28, 1), np.uint8)
    assert Preprocessing(size=(28, 28)).apply(images).shape == (2, 1, 28, 28)
    assert Preprocessing().apply(images).shape == (2, 1, 28, 28)


def test_an_environment_without_opencv_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    preprocessing.opencv.cache_clear()
    with pytest.raises(UserError, match=r"without OpenCV.*install that package"):
        Preprocessing(size=(4, 4)).apply(np.zeros((1, 2, 2, 1), np.uint8))


@pytest.mark.parametrize("scale", ["caffe", "standard"])
def test_colours_are_asked_for_where_they_are_needed(scale: preprocessing.Scale) -> None:
    grey = np.zeros((1, 4, 4, 1), np.uint8)
    with pytest.raises(UserError, match="needs colours: given images of 1 channels"):
        Preprocessing(scale=scale).apply(grey)
