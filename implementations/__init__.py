"""What the networks are: one specification, one builder per framework, and the proof that they agree."""
