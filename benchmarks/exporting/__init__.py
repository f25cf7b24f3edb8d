"""The history in the formats that other tools read."""
