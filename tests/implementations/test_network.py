"""How an adapter is loaded: what stands in the environment before anything is imported."""

import os
import sys
import types
from typing import Any

import pytest

from implementations import network
from implementations.errors import UserError
from implementations.network import ADAPTERS, Adapter, Settings

SETTINGS = Settings(devices=("cpu",), threads=3)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What ``load`` sets, apart from this process's own environment."""
    apart: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", apart)
    return apart


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings that ``fake``, an adapter without a framework, was configured with."""
    seen: list[Settings] = []
    module: Any = types.ModuleType("fake_adapter")
    module.configure = seen.append
    monkeypatch.setitem(sys.modules, "fake_adapter", module)
    asked = {"BACKEND": "fake", "THREADS": "{threads}", "DEVICE": "{device}"}
    monkeypatch.setitem(ADAPTERS, "fake", Adapter("fake", "fake_adapter", ("json", "numpy"), asked))
    return seen


def test_an_adapter_is_configured_once(configured: list[Settings], environment: dict[str, str]) -> None:
    network.load("fake", SETTINGS)
    assert configured == [SETTINGS]


def test_the_environment_names_threads_and_device(configured: object, environment: dict[str, str]) -> None:
    network.load("fake", SETTINGS)
    expected = {"BACKEND": "fake", "THREADS": "3", "DEVICE": "cpu", "OMP_NUM_THREADS": "3"}
    assert expected.items() <= environment.items()


def test_every_package_of_an_adapter_is_needed(
    configured: object, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    needy = Adapter("fake", "fake_adapter", ("json", "no_such_package"))
    monkeypatch.setitem(ADAPTERS, "fake", needy)
    with pytest.raises(
        UserError, match=r"without the package 'no_such_package'.*'import json, no_such_package'"
    ):
        network.load("fake", SETTINGS)


def test_keras_is_one_module_on_three_backends() -> None:
    rows = [adapter for name, adapter in ADAPTERS.items() if name.startswith("keras-")]
    assert len({row.module for row in rows}) == 1
    assert {row.environment["KERAS_BACKEND"] for row in rows} == {"tensorflow", "jax", "torch"}
    assert all(row.name == f"keras-{row.environment['KERAS_BACKEND']}" for row in rows)
