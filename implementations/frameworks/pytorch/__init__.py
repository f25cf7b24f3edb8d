"""PyTorch: the specification as nn.Modules."""
