"""oneDNN's gradient of the weights of a 1×1 convolution with stride 2, in TensorFlow and PyTorch.

    python docs/studies/onednn_1x1_stride_2.py

One process a case, since the bug ends it. Prints how each ended; see docs/onednn-1x1-stride-2.md.
"""

import os
import signal
import subprocess
import sys

REPEATS = 5  # the heap is damaged at once; the process dies when it next looks
TENSORFLOW = """
import tensorflow as tf
images = tf.random.normal((1, {size}, {size}, {channels}))
above = tf.random.normal((1, {size} // 2, {size} // 2, 128))
for _ in range({repeats}):
    tf.raw_ops.Conv2DBackpropFilter(
        input=images,
        filter_sizes=[1, 1, {channels}, 128],
        out_backprop=above,
        strides=[1, 2, 2, 1],
        padding="VALID",
    )
"""
PYTORCH = """
import os, torch
torch.backends.mkldnn.enabled = os.environ.get("ONEDNN") != "off"
layer = torch.nn.Conv2d({channels}, 128, 1, 2).to(memory_format=torch.channels_last)
images = torch.randn(1, {channels}, {size}, {size}).contiguous(memory_format=torch.channels_last)
for _ in range({repeats}):
    layer(images).square().sum().backward()
"""
PROGRAMS = {"tensorflow": TENSORFLOW, "pytorch": PYTORCH}
WITHOUT = {
    "tensorflow": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "pytorch": {"ONEDNN": "off"},
}  # the second is this study's own


def ended(name: str, channels: int, size: int, environment: dict[str, str]) -> str:
    """How a process with one case ended."""
    program = PROGRAMS[name].format(channels=channels, size=size, repeats=REPEATS)
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environment}, capture_output=True, timeout=300
    )
    if done.returncode < 0:
        return signal.Signals(-done.returncode).name
    return "survived" if done.returncode == 0 else "not installed"


def main() -> None:
    for name in PROGRAMS:
        for size in (64, 256):
            for channels in (3, 4, 8, 15, 16):
                crash = ended(name, channels, size, {})
                control = ended(name, channels, size, WITHOUT[name])
                print(f"{name:10} {channels:2} channels {size:3} pixels: {crash:9} without oneDNN: {control}")


if __name__ == "__main__":
    main()
