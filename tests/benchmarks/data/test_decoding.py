"""Pictures from files: what decodes, in which colours and size; what is refused before it is decoded."""

import resource
from pathlib import Path

import numpy as np
import pytest
from damage import DAMAGES, damaged
from hypothesis import given
from picture_files import BLUE, GREEN, RED, encoded, plain, png_claiming

from benchmarks.data import decoding
from benchmarks.data.decoding import Picture, UndecodableError, decode, decode_all, read_file
from benchmarks.data.preprocessing import LARGEST_PICTURE, opencv
from implementations.errors import UserError

SIZE = (6, 8)


@pytest.mark.parametrize("ending", [".png", ".bmp"])
@pytest.mark.parametrize("colour", [RED, GREEN, BLUE])
def test_colours_are_red_green_blue(ending: str, colour: tuple[int, int, int]) -> None:
    np.testing.assert_array_equal(decode(encoded(plain(colour), ending), SIZE), plain(colour, SIZE))


def test_jpeg_keeps_colours_nearly() -> None:
    found = decode(encoded(plain(RED)), SIZE)
    assert np.abs(found.astype(int) - plain(RED, SIZE)).max() <= 3  # its transform rounds


def test_grey_pictures_get_three_channels() -> None:
    grey = opencv().imencode(".png", np.full((5, 5), 77, np.uint8))[1].tobytes()
    np.testing.assert_array_equal(decode(grey, SIZE), plain((77, 77, 77), SIZE))


def test_a_picture_of_the_size_asked_for_is_left_as_it_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    np.testing.assert_array_equal(decode(encoded(pixels, ".png"), SIZE), pixels)


def test_resizing_is_bilinear() -> None:
    """Doubled, a pixel's centre lies a quarter from its old one: 3/4 of the nearer, 1/4 of the other."""
    pixels = np.zeros((1, 2, 3), np.uint8)
    pixels[0, 1] = 200
    found = decode(encoded(pixels, ".png"), (1, 4))
    assert found[0, :, 0].tolist() == [0, 50, 150, 200]


def test_a_picture_is_not_turned_by_what_its_camera_says() -> None:
    """As Keras and torchvision read it. EXIF's orientation 6 asks for a turn to the right."""
    tags = b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
    exif = b"Exif\x00\x00" + tags
    left_red = np.concatenate([plain(RED, (32, 32)), plain(BLUE, (32, 32))], axis=1)
    plain_file = encoded(left_red)
    turned = plain_file[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + plain_file[2:]
    cv2 = opencv()
    assert cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR).shape == (64, 32, 3)  # it is asked
    np.testing.assert_array_equal(decode(turned, (32, 64)), decode(plain_file, (32, 64)))


PICTURE = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
FILES = {ending: encoded(PICTURE, ending) for ending in (".jpg", ".png", ".bmp")}


@pytest.mark.parametrize("ending", FILES)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_picture_that_is_cut_short_is_refused(ending: str, share: float) -> None:
    content = FILES[ending]
    with pytest.raises(UndecodableError, match="does not decode"):
        decode(content[: int(len(content) * share)], SIZE)


def test_a_changed_byte_in_a_png_is_noticed() -> None:
    content = bytearray(FILES[".png"])
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(UndecodableError, match="does not decode"):
        decode(bytes(content), SIZE)


@pytest.mark.parametrize("content", [b"", b"<html>", b"GIF89a" + bytes(100), b"II*\0" + bytes(100)])
def test_what_is_no_picture_of_a_known_kind_is_refused(content: bytes) -> None:
    with pytest.raises(UndecodableError, match="neither JPEG nor PNG nor BMP"):
        decode(content, SIZE)


@pytest.mark.parametrize(("width", "height"), [(1 << 13, (1 << 12) + 1), (60_000, 60_000), (2**31 - 1, 1)])
def test_a_picture_of_too_many_pixels_is_not_decoded(width: int, height: int) -> None:
    assert width * height > LARGEST_PICTURE
    with pytest.raises(UndecodableError, match="far too large"):
        decode(png_claiming(width, height), SIZE)


def test_the_bound_on_pixels_is_opencvs_own() -> None:
    """What is one pixel under it fails as cut short; what is above it is not looked at."""
    cv2 = opencv()
    below, above = png_claiming(1 << 13, 1 << 12), png_claiming(1 << 13, (1 << 12) + 1)
    assert cv2.imdecode(np.frombuffer(below, np.uint8), cv2.IMREAD_COLOR) is None
    with pytest.raises(cv2.error, match="CV_IO_MAX_IMAGE_PIXELS"):
        cv2.imdecode(np.frombuffer(above, np.uint8), cv2.IMREAD_COLOR)


def test_a_chunk_that_claims_to_be_long_takes_no_memory() -> None:
    """OpenCV would take 2 GB for it."""
    content = bytearray(FILES[".png"])
    content[content.index(b"IDAT") - 4] = 0x7F
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UndecodableError, match="cut short"):
        decode(bytes(content), SIZE)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024  # KiB


def test_a_file_of_too_many_bytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    with path.open("wb") as stream:
        stream.truncate(decoding.LARGEST_FILE + 1)  # takes no room
    with pytest.raises(UndecodableError, match="larger than"):
        read_file(path)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UndecodableError, match="No such file"):
        read_file(tmp_path / "none.jpg")


@pytest.mark.parametrize("ending", FILES)
def test_damaged_pictures_decode_or_are_refused(ending: str) -> None:
    """JPEG and BMP have no checksum: some damages are other pixels."""

    @DAMAGES
    @given(damaged(FILES[ending]))
    def try_it(content: bytes) -> None:
        try:
            found = decode(content, SIZE)
        except UndecodableError:
            return
        assert (found.shape, found.dtype) == ((*SIZE, 3), np.uint8)

    try_it()


# --- Many -----------------------------------------------------------------------------------


def pictures(*contents: bytes) -> list[Picture]:
    return [Picture(row, f"{row}.jpg", lambda c=c: c) for row, c in enumerate(contents)]  # type: ignore[misc]


def test_pictures_come_into_their_rows(tmp_path: Path) -> None:
    files = [encoded(plain((number, 0, 0)), ".png") for number in range(100)]
    decoded = decode_all(reversed(pictures(*files)), 100, SIZE, tmp_path)
    assert decoded.pixels[:, 0, 0, 0].tolist() == list(range(100))
    assert decoded.damaged == {}


def test_no_scratch_file_is_left(tmp_path: Path) -> None:
    decode_all(pictures(FILES[".jpg"]), 1, SIZE, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(decoding.os, "posix_fallocate", full)
    with pytest.raises(UserError, match=r"No space left on device.*room for 288 bytes"):  # twice 6 × 8 × 3
        decode_all(pictures(FILES[".jpg"]), 1, SIZE, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_rows_without_a_picture_are_named(tmp_path: Path) -> None:
    decoded = decode_all(pictures(FILES[".jpg"], b"", FILES[".jpg"][:50]), 3, SIZE, tmp_path)
    assert sorted(decoded.damaged) == [1, 2]
    with pytest.raises(UserError, match=r"2 of 3 pictures cannot be used; the first: 1\.jpg \(neither JPEG"):
        decoded.require_whole(tmp_path, skip=False)
    decoded.require_whole(tmp_path, skip=True)


def test_labels_stay_with_pictures_where_damaged_ones_are_left_out(tmp_path: Path) -> None:
    files = [encoded(plain((10 * number, 0, 0)), ".png") for number in range(6)]
    files[1] = b""
    decoded = decode_all(pictures(*files), 6, SIZE, tmp_path)
    labels = np.arange(6)
    splits = decoded.splits([labels[:3], labels[3:5], labels[5:]])
    assert [split.labels.tolist() for split in splits] == [[0, 2], [3, 4], [5]]
    for split in splits:
        assert split.images[:, 0, 0, 0].tolist() == [10 * label for label in split.labels]


def test_what_fails_while_files_are_listed_is_raised(tmp_path: Path) -> None:
    def broken():  # type: ignore[no-untyped-def]
        yield from pictures(FILES[".jpg"])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        decode_all(broken(), 2, SIZE, tmp_path)
