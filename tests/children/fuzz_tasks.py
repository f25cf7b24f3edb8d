"""Damaged weight files by the thousand, read as ``convert`` reads them; what the reader tried meanwhile."""

import os
import pickle
import random
import resource
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from implementations.errors import UserError
from implementations.formats import transfer
from implementations.network import Framework, Settings

# What no weight file may make its reader do. Audit hooks hear of it before it is done.
FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "socket.connect",
             "pickle.find_class", "compile", "exec")  # fmt: skip
EDGE = 700  # bytes at either end, where formats keep what describes the rest


def damaged(
    framework: Framework | None,
    *,
    settings: Settings | None,
    source: str,
    network: Mapping[str, Any],
    folder: str,
    first: int,
    count: int,
) -> dict[str, Any]:
    """Outcomes of reading ``count`` damaged copies of ``source``; each is made from its own number."""
    whole, path, target = Path(source).read_bytes(), Path(folder, Path(source).name), Path(folder, "read")
    request = {"source": str(path), "network": network, "target": str(target)}
    transfer.to_ours(framework, settings=settings, **{**request, "source": source})  # it is sound, and loaded
    outcomes: Counter[str] = Counter()
    escaped: list[str] = []
    tried = _listen()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(first, first + count):
        path.write_bytes(damage(whole, random.Random(number)))
        tried.clear()
        try:
            transfer.to_ours(framework, settings=settings, **request)
            outcomes["accepted"] += 1  # every key and shape is there, and any bits are a value
        except UserError as refusal:
            outcomes["refused"] += 1
            if "\n" in str(refusal) or str(path) not in str(refusal):
                escaped.append(f"{number}: {refusal}")
        except BaseException as error:
            escaped.append(f"{number}: {type(error).__name__}: {error}")
        escaped += [f"{number}: tried {event}" for event in tried]
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    return {"outcomes": outcomes, "escaped": escaped, "grown_bytes": grown}


def damage(whole: bytes, dice: random.Random) -> bytes:
    """A copy of ``whole`` that is cut short, or has bits, ranges or lengths changed, mostly at its ends."""
    content = bytearray(whole)
    kind = dice.choice(("cut", "flip", "flip", "blank", "noise", "repeat", "large"))
    if kind == "cut":
        return bytes(content[: dice.randrange(len(content))])
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        at = _place(len(content), dice)
        length = dice.choice((1, 4, 8, 64))
        if kind == "flip":
            content[at] ^= 1 << dice.randrange(8)
        elif kind == "blank":
            content[at : at + length] = bytes(len(content[at : at + length]))
        elif kind == "noise":
            content[at : at + length] = dice.randbytes(len(content[at : at + length]))
        elif kind == "repeat":
            content[at:at] = content[at : at + length]
        else:
            content[at : at + 8] = b"\xff" * min(8, len(content) - at)
    return bytes(content)


def _place(size: int, dice: random.Random) -> int:
    edge = min(EDGE, size)
    return dice.choice((dice.randrange(edge), size - 1 - dice.randrange(edge), dice.randrange(size)))


def _listen() -> list[str]:
    """A list that hears of every forbidden event from now on."""
    tried: list[str] = []

    def hear(event: str, arguments: Any) -> None:
        if event in FORBIDDEN:
            tried.append(event)

    sys.addaudithook(hear)
    return tried


def heard(framework: Framework | None, *, settings: Settings | None) -> list[str]:
    """What is heard of a pickle that is unpickled after all, and of a program that is started."""
    tried = _listen()
    pickle.loads(pickle.dumps(Path("/")))
    os.system("true")
    return tried
