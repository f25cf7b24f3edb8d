"""PaddlePaddle: the specification as nn.Layers."""
