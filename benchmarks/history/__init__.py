"""The index over all runs: what has been measured when, by series. The result files stay the truth."""
