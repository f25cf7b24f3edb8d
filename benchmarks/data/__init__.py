"""Data sets, framework-free: files found, parsed and checked here; children read one neutral file."""
