"""CIFAR-10 (Krizhevsky 2009) from its binary archive, which needs no pickle.

Each of its six files is a row of records: a byte that is the label, then 32×32 red, green and blue bytes.
"""

from pathlib import Path, PurePosixPath

import numpy as np

from benchmarks.data import archives
from benchmarks.data.images import ImageSet, Split
from implementations.fetching import PublishedFile

ARCHIVE = PublishedFile(
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    "md5:c32a1d4ab5d03f1284b67883e8d87530",
    "none stated; its page asks for a citation of Krizhevsky 2009",
)
TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST = "test_batch.bin"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIZE, CHANNELS = 32, 3
RECORD = 1 + CHANNELS * SIZE * SIZE
LIMIT = 1 << 28  # bytes; it unpacks to 185 MB


def load(archive: Path) -> ImageSet:
    """50,000 training images and 10,000 test images, which source A validates on: they are both parts.

    ``UserError`` for an archive that is damaged or holds something else.
    """
    wanted = {*TRAIN, TEST}
    found = {PurePosixPath(name).name: content for name, content in archives.files(archive, LIMIT)}
    missing = sorted(wanted - found.keys())
    if missing:
        raise archives.refused(archive, f"the archive lacks {', '.join(missing)}")
    train = split(archive, b"".join(found[name] for name in TRAIN))
    test = split(archive, found[TEST])
    return ImageSet("cifar10", "CIFAR-10", CLASSES, 255, train, test, test)


def split(archive: Path, content: bytes) -> Split:
    """The records in ``content``; ``UserError`` where they are cut short or a label is none."""
    if not content or len(content) % RECORD:
        raise archives.refused(archive, f"a file of the archive holds {len(content)} bytes, no whole records")
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= len(CLASSES):
        raise archives.refused(archive, f"a file of the archive holds the label {labels.max()}")
    planes = records[:, 1:].reshape(-1, CHANNELS, SIZE, SIZE)
    return Split(np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels)
