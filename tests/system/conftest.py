"""Fixtures of the system tests; tests/system/world.py is what they are made of."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from world import Display, Gateway, Host, Viewer, World  # noqa: E402


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed and "world" in item.funcargs:
        for program in item.funcargs["world"].programs:
            text = program.text()
            if text.strip():
                report.sections.append((f"{program.name} ({program.log.name})", text[-4000:]))


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.end()


@pytest.fixture
def gateway(world):
    return Gateway(world).init().start()


@pytest.fixture
def license(gateway):
    return gateway.license()


@pytest.fixture
def desktop(world):
    return Display(world)


@pytest.fixture
def host(world, gateway, license, desktop):
    """An enrolled host that shares `desktop` and is online."""
    return Host(world, gateway, license).enroll().run("--display", desktop.at).online()


@pytest.fixture
def viewer(world, gateway, license, host):
    """A viewer that is paired with `host`."""
    return Viewer(world, gateway, license).pair(host.ticket())
