"""Exit code 1 if a framework could be imported here: the guard of the environment ``core``."""

import importlib.util
import sys

FRAMEWORKS = ("torch", "tensorflow", "keras", "paddle", "onnxruntime", "jax")

if __name__ == "__main__":
    found = [name for name in FRAMEWORKS if importlib.util.find_spec(name) is not None]
    print(f"installed: {', '.join(found)}" if found else "no framework is installed")
    sys.exit(1 if found else 0)
