"""How fast and how good: cases, measuring processes, results, training on real images."""
