"""Packing a run and importing it elsewhere: all of it, nothing else, and nothing unchecked."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import archive, results
from benchmarks.plan import Case
from implementations import certificates
from implementations.errors import UserError

CASE = Case("mlp", "training", 32, "pytorch")
RUN = {
    "schema_version": 2,
    "preset": "quick",
    "device": "cpu",
    "threads": 2,
    "machine": {},
    "commit": {},
    "started": "2026-01-02T03:04:05+00:00",
}
Write = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path, write_fork: Write) -> Path:
    """A run with one file of each kind, and something that is none."""
    made = tmp_path / "made" / "run"
    results.write_json(made / "run.json", RUN)
    write_fork(made, CASE, 1, [0.5])
    certificates.write(
        made / "certificates" / "mlp.json", certificates.signed({"passed": True, "findings": []})
    )
    ceilings = {"flop_per_s": {"float32": 1e9}, "copied_bytes_per_s": 1e9}
    results.write_json(results.ceiling_path(made, "pytorch"), ceilings)
    results.write_json(made / "failures" / "forks-a.json", {"fork": 1})
    (made / "report.html").write_text("a page")
    (made / "forks" / ".123-1.partial").mkdir()
    (made / "forks" / ".123-1.partial" / "half.json").write_text("{")
    return made


@pytest.fixture
def packed(folder: Path, tmp_path: Path) -> Path:
    archive.pack(folder, tmp_path / "run.tar.gz")
    return tmp_path / "run.tar.gz"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.json")}


def test_what_is_imported_is_what_was_packed(folder: Path, packed: Path, tmp_path: Path) -> None:
    count = archive.unpack(packed, tmp_path / "here")
    here = contents(tmp_path / "here")
    assert count == len(here) == 5
    assert here.items() <= contents(folder).items()
    assert [fork.case for fork in results.forks(tmp_path / "here")] == [CASE]


def test_an_archive_names_no_user(packed: Path) -> None:
    with tarfile.open(packed) as tar:
        assert {(m.uid, m.gid, m.uname, m.gname) for m in tar.getmembers()} == {(0, 0, "", "")}


def test_what_is_no_run_is_not_packed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a run's folder"):
        archive.pack(tmp_path, tmp_path / "a.tar.gz")
    assert not (tmp_path / "a.tar.gz").exists()


def test_nothing_is_imported_over_something(packed: Path, folder: Path) -> None:
    before = contents(folder)
    with pytest.raises(UserError, match="not empty"):
        archive.unpack(packed, folder)
    assert contents(folder) == before


def refused(path: Path, tmp_path: Path) -> str:
    """Why ``path`` is refused; and nothing is left of it."""
    with pytest.raises(UserError) as caught:
        archive.unpack(path, tmp_path / "into" / "here")
    assert list((tmp_path / "into").iterdir()) == []
    return str(caught.value)


def test_a_damaged_archive_is_refused(packed: Path, tmp_path: Path) -> None:
    packed.write_bytes(packed.read_bytes()[:-200])
    assert "the archive cannot be read" in refused(packed, tmp_path)


def test_an_archive_whose_checksum_does_not_fit_is_refused(packed: Path, tmp_path: Path) -> None:
    whole = bytearray(packed.read_bytes())
    whole[-8] ^= 1  # of gzip's CRC-32, which stands after everything that tar reads
    packed.write_bytes(whole)
    assert "the archive cannot be read" in refused(packed, tmp_path)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_an_archive_with_overwritten_bytes_is_refused(share: float, packed: Path, tmp_path: Path) -> None:
    whole = bytearray(packed.read_bytes())
    start = int(share * len(whole))
    whole[start : start + 30] = b"\xff" * 30
    packed.write_bytes(whole)
    assert "the archive cannot be read" in refused(packed, tmp_path)


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_text("no archive")
    assert "the archive cannot be read" in refused(path, tmp_path)


@pytest.mark.parametrize(
    "name", ["../outside.json", "/etc/outside.json", "forks/../../outside.json", "forks/a.py", "other/a.json"]
)
def test_an_archive_that_holds_something_else_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = 2
        tar.addfile(member, io.BytesIO(b"{}"))
    assert "something else than results" in refused(path, tmp_path)


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo("forks/a.json")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    assert "something else than results" in refused(path, tmp_path)


def test_a_damaged_result_in_an_archive_is_refused(folder: Path, tmp_path: Path) -> None:
    (fork,) = (folder / "forks").glob("*.json")
    content = json.loads(fork.read_text())
    del content["benchmarks"][0]["extra_info"]["canary_difference"]
    fork.write_text(json.dumps(content))
    archive.pack(folder, tmp_path / "a.tar.gz")
    assert "canary_difference" in refused(tmp_path / "a.tar.gz", tmp_path)


@pytest.mark.parametrize("field", RUN)
def test_a_run_without_its_description_is_refused(folder: Path, tmp_path: Path, field: str) -> None:
    archive.pack(folder, tmp_path / "a.tar.gz")
    results.write_json(folder / "run.json", {name: value for name, value in RUN.items() if name != field})
    with pytest.raises(UserError, match=f"no {field}"):
        archive.pack(folder, tmp_path / "b.tar.gz")


def test_a_place_that_cannot_be_written_is_refused(packed: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file, no folder")
    with pytest.raises(UserError, match="the run cannot be written"):
        archive.unpack(packed, tmp_path / "file" / "here")


def test_a_dot_in_a_runs_name_is_part_of_it() -> None:
    assert archive.beside(Path("results/h200.v2")) == Path("results/h200.v2.tar.gz")


def test_a_certificate_changed_by_hand_is_refused(folder: Path, tmp_path: Path) -> None:
    path = folder / "certificates" / "mlp.json"
    path.write_text(path.read_text().replace('"findings": []', '"findings": [1]'))
    archive.pack(folder, tmp_path / "a.tar.gz")
    assert "id does not fit" in refused(tmp_path / "a.tar.gz", tmp_path)


# --- Archives that arrive among other runs --------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "results"


def test_an_archive_arrives_in_a_folder_of_its_name(packed: Path, folder: Path, place: Path) -> None:
    assert archive.arrive(packed, place) == place / "run"
    assert contents(place / "run").items() <= contents(folder).items()
    assert [path.name for path in place.iterdir()] == ["run"]


def test_what_has_arrived_arrives_in_the_same_folder(packed: Path, place: Path) -> None:
    archive.arrive(packed, place)
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*.json")}
    assert archive.arrive(packed, place) == place / "run"
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*.json")} == before


def test_a_run_that_has_grown_arrives_where_it_is(
    packed: Path, folder: Path, place: Path, write_fork: Write
) -> None:
    archive.arrive(packed, place)
    write_fork(folder, CASE, 2, [0.5])
    archive.pack(folder, packed)
    assert len(list(results.forks(archive.arrive(packed, place)))) == 2


def test_an_older_archive_takes_nothing_back(packed: Path, place: Path) -> None:
    here = archive.arrive(packed, place)
    fork = next(results.forks(here)).path
    fork.write_text(fork.read_text().replace("0.5", "0.25"))
    archive.arrive(packed, place)
    assert next(results.forks(here)).seconds == (0.25,)


def test_what_is_later_in_an_archive_arrives(packed: Path, folder: Path, place: Path) -> None:
    here = archive.arrive(packed, place)
    fork = next(results.forks(folder)).path
    fork.write_text(fork.read_text().replace("0.5", "0.25"))
    archive.pack(folder, packed)
    archive.arrive(packed, place)
    assert next(results.forks(here)).seconds == (0.25,)


def test_a_failure_that_was_made_good_elsewhere_is_removed(
    packed: Path, folder: Path, place: Path, write_fork: Write
) -> None:
    here = archive.arrive(packed, place)
    failed = results.failure_path(here, results.fork_path(here, CASE, 2))
    results.write_json(failed, {"fork": 2})
    write_fork(folder, CASE, 2, [0.5])
    archive.pack(folder, packed)
    archive.arrive(packed, place)
    assert not failed.exists()


def test_another_run_of_the_same_name_arrives_beside_it(packed: Path, folder: Path, place: Path) -> None:
    archive.arrive(packed, place)
    another = {**RUN, "started": "2026-02-03T03:04:05+00:00"}
    results.write_json(folder / "run.json", another)
    archive.pack(folder, packed)
    beside = place / f"run-{results.run_id(another)}"
    assert archive.arrive(packed, place) == beside
    assert archive.arrive(packed, place) == beside
    assert results.read_run(place / "run")["started"] == RUN["started"]


def test_nothing_arrives_where_something_else_lies(packed: Path, place: Path) -> None:
    for name in ("run", f"run-{results.run_id(RUN)}"):
        (place / name).mkdir(parents=True)
        (place / name / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="not empty"):
        archive.arrive(packed, place)
    assert len(list(place.iterdir())) == 2


def test_an_archive_that_another_process_unpacks_meanwhile_arrives_once(
    packed: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.arrive(packed, place)
    monkeypatch.setattr(archive, "_is_taken", lambda folder: False)  # as it was a moment ago
    assert archive.arrive(packed, place) == place / "run"
    assert [path.name for path in place.iterdir()] == ["run"]
