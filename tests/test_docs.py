"""Pages under docs/ that restate what the code says are kept true."""

from benchmarks.data import cifar10, fashion_mnist, flowers102, sets
from implementations.commandline import ROOT
from implementations.optimizer_forms import METHODS
from implementations.training import FORMS

OPTIMIZERS = (ROOT / "docs/optimizer-forms.md").read_text(encoding="utf-8")


def test_every_form_stands_in_the_page_with_its_formula() -> None:
    for method, forms in FORMS.items():
        for form, formula in forms.items():
            assert f"| {method.__name__} | {form} | `{formula}` |" in OPTIMIZERS


def test_every_method_was_measured() -> None:
    for method in METHODS:
        assert OPTIMIZERS.count(f"\n| {method.title} | ") >= 2  # dyadic and ordinary values


def test_every_data_set_and_published_file_stands_in_its_page() -> None:
    page = (ROOT / "docs/data.md").read_text(encoding="utf-8")
    for name in sets.SETS:
        assert f"\n| `{name}` | " in page
    for file in (*fashion_mnist.PUBLISHED, cifar10.ARCHIVE, *flowers102.FILES):
        assert f"| `{file.file_name}` | {file.checksum.removeprefix('md5:')} |" in page
