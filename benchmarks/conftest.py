"""pytest options and fixtures: one framework, this process.

``pytest benchmarks --framework pytorch`` measures the quick preset and prints pytest-benchmark's own
table. ``python -m benchmarks run`` starts the same files in fresh processes, with a case, its
certificate and its weights named. A child is thin: NumPy, safetensors, pytest, pytest-benchmark and
one framework.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks import fork, machine, plan
from benchmarks.fork import Loaded
from benchmarks.measure import CLOCK
from benchmarks.plan import Case
from implementations import certificates, certify, network, networks, policies, provenance, weights
from implementations.commandline import USER_MISTAKE
from implementations.errors import UserError
from implementations.sameness import PROBE_SEED
from implementations.spec import Network

AGAIN = "leave --certificate out, or run into a new --output, so that it is proven again"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("framework benchmarks")
    group.addoption("--framework", help="the one framework to measure in this process (required)")
    group.addoption("--network", action="append", help="repeatable; default: the preset's")
    group.addoption("--batch", type=int, action="append", help="repeatable; default: the preset's")
    group.addoption("--preset", default="quick", help=", ".join(plan.PRESETS))
    group.addoption("--device", default="cpu", help="cpu, or cuda:0")
    group.addoption("--policy", default=policies.EQUAL, help=", ".join(policies.POLICIES))
    group.addoption("--threads", type=int, help="intra-op threads; default: all cores")
    group.addoption("--weights", type=Path, metavar="FILE", help="default: made here from the seed")
    group.addoption("--certificate", type=Path, metavar="FILE", help="default: made here, before measuring")
    group.addoption("--exporter", help="for onnxruntime: the framework that exported --model")
    group.addoption("--model", type=Path, metavar="FILE", help="for onnxruntime: the exported file")
    group.addoption("--fork", type=int, default=1, help="number of this process among its case's")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "task(name): the task that a benchmark measures")
    with UserMistakes():
        if not config.getoption("framework") and not _is_pipeline(config):
            raise UserError(
                "no framework was chosen",
                given="no --framework",
                allowed=", ".join(network.ADAPTERS),
                todo="add --framework NAME; benchmarks/test_pipeline.py alone needs none",
            )
        if config.getoption("framework"):
            network.known(config.getoption("framework"))
        for name in config.getoption("network") or []:
            networks.build(name)
        plan.preset(config.getoption("preset"))
        policies.known(config.getoption("policy"))


def _is_pipeline(config: pytest.Config) -> bool:
    """Whether nothing but the input pipeline is asked for, in which no framework takes part."""
    return all(Path(word.partition("::")[0]).name == "test_pipeline.py" for word in config.args)


class UserMistakes:
    """Ends pytest with one line and exit code 2 on a ``UserError``."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, UserError):
            pytest.exit(f"error: {error}", returncode=USER_MISTAKE)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("task")
    if "case" in metafunc.fixturenames and marker:
        chosen = _cases(metafunc.config, marker.args[0])
        metafunc.parametrize("case", chosen, ids=[f"{c.network}-b{c.batch}" for c in chosen])


def _cases(config: pytest.Config, task: str) -> list[Case]:
    """The preset's cases; a batch size that it does not name is measured all the same."""
    option = config.getoption
    adapter, preset = network.known(option("framework")), plan.preset(option("preset"))
    if task == "training" and not adapter.trains:
        return []
    known = {(name, batch) for name, kind, batch in preset.work if kind == task}
    names = option("network") or sorted({name for name, _ in known})
    pairs = sorted(known) if not option("batch") else [(n, b) for n in names for b in option("batch")]
    exporter = None if adapter.trains else option("exporter")
    framework, policy = option("framework"), option("policy")
    return [Case(n, task, b, framework, exporter, policy) for n, b in pairs if n in names]  # type: ignore[arg-type]


# --- pytest-benchmark's own fields: ours are leaner, and name no host, user or path --------


def pytest_benchmark_generate_machine_info(config: pytest.Config) -> dict[str, Any]:
    return machine.description()


def pytest_benchmark_generate_commit_info(config: pytest.Config) -> dict[str, Any]:
    return machine.commit()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The input pipeline's images/s: pytest-benchmark's table counts rounds."""
    timed: list[Any] = config._benchmarksession.benchmarks  # type: ignore[attr-defined]  # no public name
    for made in timed:
        if "images_per_second" in made.extra_info and made.group == "input pipeline":
            terminalreporter.write_line(f"{made.name}: {made.extra_info['images_per_second']:,.0f} images/s")


# --- Fixtures -----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def loaded(pytestconfig: pytest.Config) -> Loaded:
    threads = pytestconfig.getoption("threads") or len(os.sched_getaffinity(0))
    device, policy = pytestconfig.getoption("device"), pytestconfig.getoption("policy")
    name = pytestconfig.getoption("framework")
    provenance.source()  # as it is before the builder is imported
    start = CLOCK()
    with UserMistakes():
        module, settings = network.prepare(name, device, threads, policy)
    seconds = CLOCK() - start
    cuda = settings.device.startswith("cuda")
    device_model = module.cuda_devices()[0] if cuda else provenance.cpu_model()
    return Loaded(name, module, settings, seconds, device_model)


@pytest.fixture
def specification(case: Case) -> Network:
    return networks.build(case.network)


@pytest.fixture
def weights_path(
    specification: Network, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    given: Path | None = pytestconfig.getoption("weights")
    if given is not None:
        return given
    made = tmp_path_factory.mktemp("weights") / "probe.safetensors"
    weights.save(made, weights.probe(specification, PROBE_SEED))
    return made


@pytest.fixture
def model_path(case: Case, pytestconfig: pytest.Config) -> Path | None:
    """The exported file that ONNX Runtime runs; ``None`` for the other frameworks."""
    if network.known(case.framework).trains:
        return None
    with UserMistakes():
        path: Path | None = pytestconfig.getoption("model")
        if path is None or not path.exists() or network.plain(case.exporter or "") not in network.TRAINERS:
            raise UserError(
                "onnxruntime needs an exported model and its exporter",
                given=f"--model {path} --exporter {case.exporter}",
                allowed=f"--model FILE --exporter {'|'.join(network.TRAINERS)}",
                todo="write the file with 'python -m implementations export'",
            )
    return path


@pytest.fixture
def certificate(
    case: Case,
    specification: Network,
    loaded: Loaded,
    weights_path: Path,
    model_path: Path | None,
    pytestconfig: pytest.Config,
) -> certificates.Certificate:
    """The proof that this case computes what the specification says; no number without it."""
    given: Path | None = pytestconfig.getoption("certificate")
    with UserMistakes():
        if given is not None:
            found = certificates.read(given)
        else:
            found = _certify(case, loaded, weights_path, model_path)
        _require_about(found, case, specification, loaded)
        _require_files(found, weights_path, model_path)
    if not found["passed"]:
        pytest.fail(
            f"not the same network, so not measured: {certificates.first_breach(found)}", pytrace=False
        )
    return found


def _require_about(
    found: certificates.Certificate, case: Case, specification: Network, loaded: Loaded
) -> None:
    """``UserError`` unless the certificate is about this case, in this build, on this device."""
    wanted = {
        "framework": case.framework,
        "exporter": case.exporter,
        "digest": specification.digest,
        "versions": loaded.module.versions(),
        "device": loaded.settings.device,
        "precision": loaded.settings.precision,
        "policy": loaded.settings.policy,
        "source": provenance.source(),
        "processor": provenance.cpu_model(),
        "gpu": provenance.gpu(loaded.settings.device),
        "kernels": provenance.kernels(),
    }
    _require(found, wanted)
    if found["passed"] and case.task == "training" and not found["training"]:
        raise UserError(
            "the certificate proves no training",
            given="a proof without level 3",
            allowed="one with level 3, for steps that train",
            todo=AGAIN,
        )


def _require_files(found: certificates.Certificate, weights_path: Path, model_path: Path | None) -> None:
    """``UserError`` if weights, or the exported file, are not those that were proven."""
    wanted = {"weights_sha256": weights.sha256(weights_path)}
    if model_path is not None:
        wanted["model_sha256"] = weights.sha256(model_path)
    _require(found, wanted)


def _require(found: certificates.Certificate, wanted: Mapping[str, Any]) -> None:
    for name, value in wanted.items():
        if found["passed"] and found.get(name) != value:
            raise UserError(
                f"the certificate is about another {name}",
                given=found.get(name),
                allowed=str(value),
                todo=AGAIN,
            )


def _certify(
    case: Case, loaded: Loaded, weights_path: Path, model_path: Path | None
) -> certificates.Certificate:
    request: dict[str, Any] = {
        "settings": loaded.settings,
        "name": loaded.name,
        "network": {"name": case.network},
        "weights_path": str(weights_path),
    }
    if model_path is None:
        return certify.certify(loaded.module, **request)
    return certify.certify_export(
        loaded.module, exporter=str(case.exporter), model_path=str(model_path), made={}, **request
    )


@pytest.fixture
def measured(
    case: Case,
    specification: Network,
    loaded: Loaded,
    certificate: certificates.Certificate,
    weights_path: Path,
    model_path: Path | None,
    pytestconfig: pytest.Config,
) -> Callable[[Any], None]:
    """Measures ``case`` with a ``benchmark`` fixture and leaves the result's fields in it."""

    def measure_with(benchmark: Any) -> None:
        with UserMistakes():
            values = model_path or weights.load(weights_path, specification)
        effort = plan.preset(pytestconfig.getoption("preset")).effort
        subject = fork.Subject(case, specification, values, loaded, certificate)
        benchmark.params = plan.as_data(case)  # else the result would say "UNSERIALIZABLE"
        try:
            fields = fork.run(benchmark, subject, effort, number=pytestconfig.getoption("fork"))
        except BaseException:  # whatever it was: what was timed is worth nothing
            _withdraw(pytestconfig, benchmark)
            raise
        benchmark.group = f"{case.network} {case.task} batch {case.batch}"
        benchmark.extra_info.update(fields)

    return measure_with


def _withdraw(config: pytest.Config, benchmark: Any) -> None:
    """Take back what was timed: pytest-benchmark would show and save it although the test failed."""
    timed: list[Any] = config._benchmarksession.benchmarks  # type: ignore[attr-defined]  # no public name
    if benchmark.stats in timed:
        timed.remove(benchmark.stats)
