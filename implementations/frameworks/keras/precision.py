"""float32 or float64 for everything that Keras builds from now on."""

import keras
from keras.src.backend.common import dtypes

# Keras ends every promotion on JAX and PyTorch in float32, also that of two float64: Dense and means
# would round to float32 inside a float64 model. Its table has no public name. float32 never meets it.
PROMOTED = dtypes.BIT64_TO_BIT32_DTYPE
AS_KERAS_HAS_IT = PROMOTED["float64"]


def compute_in(precision: str) -> None:
    """Layers built from now on compute in ``precision``, and in nothing else."""
    keras.config.set_floatx(precision)
    keras.config.set_dtype_policy(precision)
    PROMOTED["float64"] = "float64" if precision == "float64" else AS_KERAS_HAS_IT
