"""`python -m waystation.lambda_runtime`, in place of the managed runtime's client."""

import importlib
import os
from types import ModuleType

from waystation.lambda_runtime.loop import run


def load() -> ModuleType:
    """Import the module that Lambda's `_HANDLER` names, as `app.handler` names `app`."""
    name = os.environ["_HANDLER"].rpartition(".")[0]
    return importlib.import_module(name.replace("/", "."))


if __name__ == "__main__":
    run(os.environ["AWS_LAMBDA_RUNTIME_API"], load)
