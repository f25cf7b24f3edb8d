"""How good given weights are on given pictures."""
