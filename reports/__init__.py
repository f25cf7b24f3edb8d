"""What it means: a run folder becomes one HTML file (queries → dataclasses → page)."""
