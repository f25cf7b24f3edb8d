"""Tonight against the nights before: what to expect of a case, and what can be said of its change."""
