"""Keras: the specification as a functional model, on the backend chosen for the process."""
