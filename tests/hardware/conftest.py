from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    # lgpio's wrapper warns on Python 3.13; as an error that would leave its types half made, and crash at the end.
    config.addinivalue_line("filterwarnings", "ignore:builtin type .* has no __module__ attribute:DeprecationWarning")
