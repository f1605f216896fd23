"""The app of the tests of triggers, on storage in memory."""

from __future__ import annotations

import pytest

from tests.functions.trigger_parts import App, app_in_memory


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> App:
    app = app_in_memory()
    monkeypatch.setattr("shared.app._started", lambda: app.context)
    return app
