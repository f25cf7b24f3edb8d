"""Small files in the formats of data sets of pictures."""

import io
import struct
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import flowers102
from benchmarks.data.preprocessing import opencv

RED, GREEN, BLUE = (200, 30, 30), (30, 200, 30), (30, 30, 200)


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (12, 16)) -> NDArray[np.uint8]:
    """A picture (height, width, 3) of one colour."""
    return np.full((*size, 3), colour, np.uint8)


def encoded(pixels: NDArray[np.uint8], ending: str = ".jpg") -> bytes:
    """A file's bytes from red, green, blue pixels."""
    return opencv().imencode(ending, np.ascontiguousarray(pixels[..., ::-1]))[1].tobytes()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG file of a few bytes whose header claims that size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    """A gzipped tar archive of plain files."""
    members = []
    for name, content in files.items():
        member = tarfile.TarInfo(name)
        member.size = len(content)
        members.append((member, content))
    return tar_gz_of(members)


def tar_gz_of(members: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))
    return target.getvalue()


def picture_folder(folder: Path, count: int = 3) -> Path:
    """``train/ validation/ test/`` with ``count`` pictures of each of two classes: blue and red ones."""
    for part in ("train", "validation", "test"):
        for name, colour in (("blue", BLUE), ("red", RED)):
            place = folder / part / name
            place.mkdir(parents=True)
            for number in range(count):
                (place / f"{number}.jpg").write_bytes(encoded(plain(colour, (10 + number, 20))))
    return folder


FLOWER_LABELS = [1, 102, 7, 7, 3, 50]  # of pictures 1 to 6
FLOWER_SPLITS = {"tstid": [6, 1, 3], "valid": [2], "trnid": [5, 4]}


def flower_pictures() -> dict[str, bytes]:
    """Picture n is grey of 20 n."""
    return {f"jpg/image_{number:05}.jpg": encoded(plain((20 * number,) * 3)) for number in range(1, 7)}


def flower_files(folder: Path) -> tuple[Path, Path, Path]:
    """Six pictures in the three files of Flowers-102: pictures, labels, splits."""
    from scipy.io import savemat

    folder.mkdir(parents=True, exist_ok=True)
    images, labels, splits = (folder / file.file_name for file in flowers102.FILES)
    images.write_bytes(tar_gz(flower_pictures()))
    savemat(labels, {"labels": np.array([FLOWER_LABELS], np.uint8)})
    savemat(splits, {key: np.array([numbers], np.uint16) for key, numbers in FLOWER_SPLITS.items()})
    return images, labels, splits
