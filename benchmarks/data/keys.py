"""Keys of the streams by which images are chosen once for all, whatever a training's seed.

They lie apart from all keys that depend on a seed: orders lie below 2⁹⁶, dropout from 5 · 2⁹⁶ to below
6 · 2⁹⁶, augmentation from 2¹²⁷ up.
"""

_FIXED = 6 << 96
DIGITS = _FIXED + 1  # which of scikit-learn's digits are tested: they stand in the order of their writers
HELD_OUT = _FIXED + 2  # the validation part of a set that has none
SAMPLE = _FIXED + 3  # training images that are evaluated after each epoch
CHOICE = _FIXED + 4  # the images of a recipe that takes fewer than there are
