"""What Keras leaves to its backend, one file each, the same names in all; loaded by name."""
