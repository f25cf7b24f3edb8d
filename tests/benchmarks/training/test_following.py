from pathlib import Path

from benchmarks.training.following import Following


def test_lines_are_told_in_their_order_also_the_last(tmp_path: Path) -> None:
    log, told = tmp_path / "log.txt", list[str]()
    with Following(log, told.append)(0):
        log.write_text("one\ntwo\n")
        with log.open("a") as file:
            file.write("three\n")
    assert told == ["one", "two", "three"]


def test_what_was_there_before_is_not_told_again(tmp_path: Path) -> None:
    log, told = tmp_path / "log.txt", list[str]()
    log.write_text("old\n")
    with Following(log, told.append)(0), log.open("a") as file:
        file.write("new\n")
    assert told == ["new"]


def test_half_a_line_is_not_told(tmp_path: Path) -> None:
    log, told = tmp_path / "log.txt", list[str]()
    with Following(log, told.append)(0):
        log.write_text("whole\nhal")
    assert told == ["whole"]


def test_no_log_is_nothing_to_tell(tmp_path: Path) -> None:
    told = list[str]()
    with Following(tmp_path / "log.txt", told.append)(0):
        pass
    assert told == []
