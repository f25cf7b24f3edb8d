"""One builder per framework; loaded by name, one a process."""
