"""Trainings: the parent prepares and follows them, a child fits; what they come to."""
