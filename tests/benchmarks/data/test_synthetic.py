import numpy as np

from benchmarks.data import synthetic


def test_it_is_the_same_every_time() -> None:
    assert synthetic.load((8, 8)).sha256 == synthetic.load((8, 8)).sha256


def test_sizes_and_channels_are_as_asked_for() -> None:
    data = synthetic.load((9, 7), channels=1)
    assert data.train.images.shape == (1000, 9, 7, 1)
    assert (len(data.validation), len(data.test)) == (200, 200)


def test_classes_are_equally_many() -> None:
    assert np.bincount(synthetic.load((8, 8)).test.labels).tolist() == [20] * 10


def test_it_can_be_learnt_from_the_training_images() -> None:
    """The nearest mean of a class in training is right for all test images, which are others."""
    data = synthetic.load((8, 8))
    means = np.stack([data.train.images[data.train.labels == c].mean(axis=0) for c in range(10)])
    distances = ((data.test.images[:, None] - means) ** 2).sum(axis=(2, 3, 4))
    assert (distances.argmin(axis=1) == data.test.labels).all()
    assert len({image.tobytes() for image in [*data.train.images, *data.test.images]}) == 1200
