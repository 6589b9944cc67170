"""A resource's declaration as plain data, for the reference pages, the coverage table and the version gates.

The texts of the properties are read from the source, so nothing that runs in a stack may import this module.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from itertools import pairwise
from typing import Any

from .declare import INPUTS, OUTPUTS, Declared, DeclaredResource, Facts, Prop


def declaration(cls: type[DeclaredResource]) -> dict[str, Any]:
    """Everything that a kind declares, as data that JSON can hold.

    Keys: ``type`` (the type token), ``text``, ``since``, ``until``, ``edition``, ``groups`` (``path``,
    ``properties``, ``requires``) and ``properties``, which holds by name what :func:`~.declare.prop` takes and
    besides it: ``input`` (type of the argument, ``""`` where there is none), ``output``, ``required`` and ``text``
    (``""`` where the line has none).
    """
    return {
        "type": f"pulumi-python:{cls._resource_type_name}",
        "text": inspect.cleandoc(vars(cls).get("__doc__") or ""),
        **cls.kind_availability,
        "groups": [
            {"path": ".".join(group.path), "properties": list(group.defaults), "requires": list(group.requires)}
            for group in getattr(cls.provider_class, "groups", ())
        ],
        "properties": {name: _property(cls, one) for name, one in cls.declared_properties.items()},
    }


def signature(cls: type[DeclaredResource]) -> inspect.Signature:
    """The constructor's signature, required arguments first."""
    arguments = [one for one in cls.declared_properties.values() if not one.computed]
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Signature(
        [
            inspect.Parameter("resource_name", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation="str"),
            *(
                inspect.Parameter(
                    one.name,
                    keyword,
                    default=inspect.Parameter.empty if one.required else one.default,
                    annotation=f"Input[{INPUTS[one.form].format(one.value_type)}]",
                )
                for one in sorted(arguments, key=lambda one: not one.required)
            ),
            inspect.Parameter("opts", keyword, default=None, annotation="ResourceOptions | None"),
        ]
    )


def _property(cls: type[DeclaredResource], one: Prop[Any]) -> dict[str, Any]:
    owner = next(base for base in cls.__mro__ if one.name in vars(base))
    return {
        "input": "" if one.computed else INPUTS[one.form].format(one.value_type),
        "output": OUTPUTS[one.form].format(one.value_type),
        "required": one.required,
        "default": None if one.default is ... else one.default,
        "computed": one.computed,
        **{fact: getattr(one, fact) for fact in Facts.__annotations__},
        "text": texts(owner).get(one.name, ""),
    }


@functools.cache
def texts(cls: type[Declared]) -> dict[str, str]:
    """The string literals that stand under the properties in the body of this very class."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(node, ast.ClassDef)
    found = {}
    for line, after in pairwise(node.body):
        if (
            isinstance(line, ast.AnnAssign)
            and isinstance(line.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            found[line.target.id] = inspect.cleandoc(after.value.value)
    return found
