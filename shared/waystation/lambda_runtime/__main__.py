"""`python -m waystation.lambda_runtime`, in place of the managed runtime's client."""

import importlib
import os

from waystation.lambda_runtime.loop import Function, run


def load() -> Function:
    """Import what Lambda's `_HANDLER` names, such as `app.handler`, and the `app` beside it."""
    path, _, name = os.environ["_HANDLER"].rpartition(".")
    module = importlib.import_module(path.replace("/", "."))
    return Function(app=module.app, handler=getattr(module, name))


if __name__ == "__main__":
    run(os.environ["AWS_LAMBDA_RUNTIME_API"], load)
