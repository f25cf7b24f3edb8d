"""The precision of everything that Keras builds from now on."""

import keras
from keras.src.backend.common import dtypes

from implementations.network import Settings

# Keras ends every promotion on JAX and PyTorch in float32, also that of two float64: Dense and means
# would round to float32 inside a float64 model. Its table has no public name. float32 never meets it.
PROMOTED = dtypes.BIT64_TO_BIT32_DTYPE
AS_KERAS_HAS_IT = PROMOTED["float64"]


def compute_in(settings: Settings) -> None:
    """Layers built from now on compute in the settings' precision, and in nothing else."""
    keras.config.set_floatx(settings.storage)
    keras.config.set_dtype_policy(f"mixed_{settings.mixed}" if settings.mixed else settings.storage)
    PROMOTED["float64"] = "float64" if settings.precision == "float64" else AS_KERAS_HAS_IT
