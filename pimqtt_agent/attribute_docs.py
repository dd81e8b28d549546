"""The texts under a model's fields, read from its source only when somebody asks: reading them at import is slow."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise

from pydantic import BaseModel


def texts(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstring under each field of a model and of those it inherits from."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if base is BaseModel or not issubclass(base, BaseModel):
            continue
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        if isinstance(body, ast.ClassDef):
            found |= dict(_fields(body.body))
    return found


def _fields(body: list[ast.stmt]) -> list[tuple[str, str]]:
    found = []
    for field, text in pairwise(body):
        named = isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if named and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            found.append((field.target.id, inspect.cleandoc(str(text.value.value))))  # type: ignore[attr-defined]
    return found


def models(base: type[BaseModel] = BaseModel) -> dict[str, type[BaseModel]]:
    """Return every model by its name."""
    found: dict[str, type[BaseModel]] = {}
    for model in base.__subclasses__():
        found |= {model.__name__: model} | models(model)
    return found
