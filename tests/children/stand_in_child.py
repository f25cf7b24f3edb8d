"""A measuring child of 50 ms: ``python stand_in_child.py CONTENT OUTPUT`` writes a result in two halves."""

import sys
import time

SECONDS = 0.05

content, output = sys.argv[1:]
time.sleep(SECONDS / 2)
with open(output, "w") as file:  # noqa: PTH123  pathlib would take as long as the child
    file.write(content[: len(content) // 2])
    file.flush()
    time.sleep(SECONDS / 2)
    file.write(content[len(content) // 2 :])
