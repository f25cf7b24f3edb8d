"""Warps against a slow one written out from Keras' definition, and against what they are called."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.data.augmentation import Augmentation, Warp
from benchmarks.data.batches import PLAIN, Batches
from benchmarks.data.images import Split
from benchmarks.data.preprocessing import Preprocessing

# OpenCV computes coordinates in float32: at 30 pixels to 4e-6, times steps of 255 between pixels.
NEARLY = 30 * 2**-23 * 255 * 4
SOURCE_B = Augmentation(rotation_degrees=40, shift=0.2, shear_degrees=0.2, zoom=0.2, horizontal_flip=True)
NEAREST = Augmentation(fill="nearest")


def image(height: int = 15, width: int = 15, channels: int = 3) -> NDArray[np.float32]:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels)).astype(np.float32)


# --- The definition -----------------------------------------------------------------------


def source_of(warp: Warp, x: float, y: float, size: int) -> tuple[float, float]:
    """Where Keras takes the pixel (x, y) of a square image from, factor by factor from the right."""
    if warp.is_mirrored:  # Keras mirrors what it has warped
        x = size - 1 - x
    x, y = x - (size / 2 - 0.5), y - (size / 2 - 0.5)
    x, y = warp.zoom_x * x, warp.zoom_y * y
    shear = math.radians(warp.shear)
    x, y = x - math.sin(shear) * y, math.cos(shear) * y
    x, y = x + warp.shift_x * size, y + warp.shift_y * size
    turn = math.radians(warp.rotation)
    x, y = math.cos(turn) * x - math.sin(turn) * y, math.sin(turn) * x + math.cos(turn) * y
    return x + (size / 2 - 0.5), y + (size / 2 - 0.5)


def slowly_warped(pixels: NDArray[np.float32], warp: Warp, fill: str) -> NDArray[np.float64]:
    size = len(pixels)

    def at(x: int, y: int) -> NDArray[np.float64]:
        if fill == "nearest":
            x, y = min(max(x, 0), size - 1), min(max(y, 0), size - 1)
        inside = 0 <= x < size and 0 <= y < size
        return pixels[y, x].astype(np.float64) if inside else np.zeros(pixels.shape[2])

    found = np.empty(pixels.shape)
    for y in range(size):
        for x in range(size):
            u, v = source_of(warp, x, y, size)
            left, top = math.floor(u), math.floor(v)
            right_share, lower_share = u - left, v - top
            upper = at(left, top) * (1 - right_share) + at(left + 1, top) * right_share
            lower = at(left, top + 1) * (1 - right_share) + at(left + 1, top + 1) * right_share
            found[y, x] = upper * (1 - lower_share) + lower * lower_share
    return found


@pytest.mark.parametrize("fill", ["constant", "nearest"])
@pytest.mark.parametrize("index", range(8))
def test_a_warp_is_the_definitions(index: int, fill: str) -> None:
    warp = SOURCE_B.drawn(0, 0, index)
    found = Augmentation(fill=fill).warped(image(), warp)  # type: ignore[arg-type]
    np.testing.assert_allclose(found, slowly_warped(image(), warp, fill), atol=NEARLY)


@pytest.mark.parametrize("size", [14, 15])
def test_factors_do_not_commute_and_stand_in_keras_order(size: int) -> None:
    """Large ones at once: any other order would be far off."""
    warp = Warp(rotation=35, shift_x=0.2, shift_y=-0.1, shear=30, zoom_x=1.2, zoom_y=0.8, is_mirrored=True)
    pixels = image(size, size)
    found = NEAREST.warped(pixels, warp)
    np.testing.assert_allclose(found, slowly_warped(pixels, warp, "nearest"), atol=NEARLY)


def test_one_channel_is_warped_as_three_are() -> None:
    warp = SOURCE_B.drawn(0, 0, 1)
    grey = image(channels=1)
    coloured = NEAREST.warped(np.repeat(grey, 3, axis=2), warp)
    np.testing.assert_array_equal(NEAREST.warped(grey, warp), coloured[..., :1])


# --- What the words mean ------------------------------------------------------------------


def test_nothing_drawn_changes_nothing() -> None:
    np.testing.assert_array_equal(Augmentation().warped(image(), Warp()), image())


def test_a_quarter_turn_is_exact() -> None:
    """Keras' positive angle turns the picture to the left, as numpy.rot90 does."""
    found = NEAREST.warped(image(), Warp(rotation=90))
    np.testing.assert_allclose(found, np.rot90(image()), atol=NEARLY)


def test_a_shift_of_x_moves_by_that_share_of_the_width() -> None:
    pixels = image(10, 20)
    found = Augmentation().warped(pixels, Warp(shift_x=0.2))
    np.testing.assert_allclose(found[:, :16], pixels[:, 4:], atol=NEARLY)
    assert not found[:, 16:].any()  # constant 0


def test_a_shift_of_y_moves_by_that_share_of_the_height() -> None:
    pixels = image(10, 20)
    found = NEAREST.warped(pixels, Warp(shift_y=-0.3))
    np.testing.assert_allclose(found[3:], pixels[:7], atol=NEARLY)
    np.testing.assert_allclose(found[:3], pixels[[0, 0, 0]], atol=NEARLY)  # the border's pixels


def test_zoom_is_about_the_centre_and_above_one_makes_smaller() -> None:
    pixels = np.zeros((15, 15, 1), np.float32)
    pixels[7, 1] = 1
    found = Augmentation().warped(pixels, Warp(zoom_x=2.0))
    assert found[7, 4, 0] == pytest.approx(1)  # 6 left of the centre became 3


def test_a_mirrored_image_is_mirrored() -> None:
    for width in (14, 15):
        pixels = image(15, width)
        found = Augmentation().warped(pixels, Warp(is_mirrored=True))
        np.testing.assert_allclose(found, pixels[:, ::-1], atol=NEARLY)


def test_shear_is_in_degrees() -> None:
    """With 0.2 the rows of a 150-pixel picture move by a quarter of a pixel: next to nothing, as in Keras."""
    moved = Warp(shear=0.2).matrix(150, 150) @ [74.5, 0.0, 1.0]
    assert moved[0] - 74.5 == pytest.approx(74.5 * math.sin(math.radians(0.2)))
    assert 0.2 < moved[0] - 74.5 < 0.3


# --- What is drawn ------------------------------------------------------------------------


DRAWN = [SOURCE_B.drawn(seed=1, epoch=2, index=index) for index in range(2000)]
RANGES = {
    "rotation": (-40, 40),
    "shift_x": (-0.2, 0.2),
    "shift_y": (-0.2, 0.2),
    "shear": (-0.2, 0.2),
    "zoom_x": (0.8, 1.2),
    "zoom_y": (0.8, 1.2),
}


@pytest.mark.parametrize("name", RANGES)
def test_values_fill_their_range_evenly(name: str) -> None:
    low, high = RANGES[name]
    share = (np.array([getattr(warp, name) for warp in DRAWN]) - low) / (high - low)
    assert 0 <= share.min() < 0.01
    assert 0.99 < share.max() <= 1
    counts, _ = np.histogram(share, 10, (0, 1))
    assert counts.min() > 140  # 200 ± 13.4 each: four and a half standard deviations
    assert counts.max() < 260


def test_half_of_the_images_are_mirrored() -> None:
    assert 900 < sum(warp.is_mirrored for warp in DRAWN) < 1100  # 1000 ± 22: more than four


def test_values_are_drawn_apart_from_each_other() -> None:
    table = np.array([[getattr(warp, name) for name in RANGES] for warp in DRAWN])
    correlations = np.corrcoef(table.T) - np.eye(len(RANGES))
    assert np.abs(correlations).max() < 0.1  # 1/√2000 = 0.022: four and a half


def test_what_is_not_asked_for_is_not_drawn() -> None:
    assert Augmentation().drawn(0, 0, 0) == Warp()


def test_a_warp_belongs_to_its_seed_epoch_and_image() -> None:
    asked = [(seed, epoch, index) for seed in range(3) for epoch in range(3) for index in range(3)]
    found = {key: SOURCE_B.drawn(*key) for key in asked}
    assert len(set(found.values())) == 27
    assert all(SOURCE_B.drawn(*key) == warp for key, warp in found.items())


def test_what_is_drawn_stays_what_it_was() -> None:
    # Taken from the implementation once: a pin, so that results of different dates saw the same pictures.
    assert SOURCE_B.drawn(0, 0, 0).rotation == pytest.approx(6.795666439178554, rel=1e-12)


# --- In batches ---------------------------------------------------------------------------


def batches(augmentation: Augmentation | None, preprocessing: Preprocessing = PLAIN) -> Batches:
    images = np.random.default_rng(0).integers(1, 256, (8, 15, 15, 3), np.uint8)  # none is black
    return Batches(Split(images, np.arange(8)), 4, 0, preprocessing, augmentation)


def test_the_fill_is_zero_before_the_mean_is_subtracted() -> None:
    shifted = Augmentation(shift=1.0)
    caffe = batches(shifted, Preprocessing(scale="caffe")).at(0).images
    filled = batches(shifted, PLAIN).at(0).images[:, ::-1] == 0
    assert 0.1 < filled.mean() < 0.9
    means = np.broadcast_to(np.array([103.939, 116.779, 123.68], np.float32)[:, None, None], caffe.shape)
    np.testing.assert_array_equal(caffe[filled], -means[filled])


def test_images_are_resized_before_they_are_warped() -> None:
    made = batches(SOURCE_B, Preprocessing(size=(30, 30)))
    batch = made.at(1)
    index = batch.indices[0]
    resized = Preprocessing(size=(30, 30)).resized(made.split.images[[index]])[0]
    expected = SOURCE_B.warped(resized, SOURCE_B.drawn(0, 0, int(index))) / np.float32(255)
    np.testing.assert_array_equal(batch.images[0], expected.transpose(2, 0, 1))


def test_an_image_is_warped_anew_in_every_epoch() -> None:
    made = batches(SOURCE_B)
    first, second = (
        {int(i): image.tobytes() for step in steps for i, image in zip(*_of(made, step), strict=True)}
        for steps in ((0, 1), (2, 3))
    )
    assert first.keys() == second.keys()
    assert all(first[index] != second[index] for index in first)


def _of(made: Batches, step: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    batch = made.at(step)
    return batch.indices, batch.images


def test_augmented_batches_are_the_same_for_all_who_ask() -> None:
    assert batches(SOURCE_B).digest(3) == batches(SOURCE_B).digest(3)
    assert batches(SOURCE_B).digest(3) != batches(None).digest(3)
