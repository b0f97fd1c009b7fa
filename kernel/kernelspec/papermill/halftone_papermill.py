"""Lets papermill give parameters to TypeScript notebooks.

papermill knows no TypeScript and has no entry point for languages, but it loads every `papermill.engine` entry point when it is
imported. This module is such an entry point: being loaded, it registers the language; the engine it names is papermill's own.
"""

import json
import math
import numbers
import re

from papermill.engines import NBClientEngine as Engine  # noqa: F401  (the entry point's object)
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

DECLARATION = re.compile(
    r"^(?:export\s+)?(?:let|const|var)\s+(?P<name>[\w$]+)\s*(?::\s*(?P<type>[^=]+?))?\s*=\s*"
    r"(?P<value>.*?);?\s*(?://\s*(?P<help>.*))?$"
)


LARGEST_INTEGER = 2**53 - 1


class TypeScriptTranslator(Translator):
    """JSON is TypeScript, but for the numbers that JSON lacks."""

    @classmethod
    def translate(cls, val):
        if val is None or isinstance(val, (bool, str)):
            return json.dumps(val, ensure_ascii=False)
        if isinstance(val, numbers.Integral):
            if abs(int(val)) > LARGEST_INTEGER:
                raise ValueError(
                    f"A number of TypeScript cannot hold the integer {int(val)} exactly (it is beyond 2^53): "
                    "pass it as text, with -r on papermill's command line."
                )
            return str(int(val))
        if isinstance(val, numbers.Real) and not math.isfinite(val):
            return "NaN" if math.isnan(val) else "Infinity" if val > 0 else "-Infinity"
        if isinstance(val, numbers.Real):
            return json.dumps(float(val))
        if isinstance(val, dict):
            return "{ " + ", ".join(f"{cls.key(k)}: {cls.translate(v)}" for k, v in val.items()) + " }"
        if isinstance(val, (list, tuple)):
            return "[" + ", ".join(cls.translate(v) for v in val) + "]"
        return json.dumps(val, default=str, ensure_ascii=False)

    @classmethod
    def key(cls, name):
        # `{"__proto__": 1}` would set a prototype.
        text = json.dumps(str(name), ensure_ascii=False)
        return f"[{text}]" if name == "__proto__" else text

    @classmethod
    def comment(cls, cmt_str):
        return f"// {cmt_str}".strip()

    @classmethod
    def assign(cls, name, str_val):
        return f"let {name} = {str_val};"

    @classmethod
    def inspect(cls, parameters_cell):
        found = (DECLARATION.match(line.strip()) for line in parameters_cell["source"].splitlines())
        return [
            Parameter(
                name=each["name"],
                inferred_type_name=each["type"] or "None",
                default=each["value"].strip(),
                help=each["help"] or "",
            )
            for each in found
            if each
        ]


papermill_translators.register("typescript", TypeScriptTranslator)
