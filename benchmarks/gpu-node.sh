#!/bin/sh
# One slice, of about eight minutes, of everything that this machine can measure with the frameworks that
# it has; run it again until it says that all is done. The results are one archive beside the run's folder:
#
#     sh benchmarks/gpu-node.sh [FOLDER] [OPTIONS of python -m benchmarks.node]
#     python -m benchmarks import FOLDER.tar.gz        # elsewhere
#
# PYTHON names the interpreter; it needs a framework, NumPy, safetensors, pytest and pytest-benchmark.
set -eu
cd "$(dirname "$0")/.."
case "${1:-}" in
    "" | -*) folder=results/node ;;
    *) folder=$1; shift ;;
esac
exec "${PYTHON:-python3}" -m benchmarks.node --output "$folder" "$@"
