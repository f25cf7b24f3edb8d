"""The one error that users see: four parts in one line."""


class UserError(Exception):
    """A mistake that the user can mend: shown as one line, exit code 2, without a traceback.

    The parts are what was wrong, what was given, what is allowed, and what to do.
    """

    def __init__(self, wrong: str, *, given: object, allowed: str, todo: str) -> None:
        self.parts = {"wrong": wrong, "given": str(given), "allowed": allowed, "todo": todo}
        super().__init__(_one_line(f"{wrong}: given {given!s}; allowed: {allowed}; {todo}"))

    @property
    def wrong(self) -> str:
        """The first part alone."""
        return self.parts["wrong"]

    @classmethod
    def from_parts(cls, parts: dict[str, str]) -> "UserError":
        """The same error again in another process, from its ``parts``."""
        return cls(parts["wrong"], given=parts["given"], allowed=parts["allowed"], todo=parts["todo"])


class RefusedFileError(UserError):
    """A file that is not what it was given as; all else that is needed was there."""


def _one_line(text: str) -> str:
    """``text`` without line breaks; what a terminal would obey instead of showing becomes a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))
