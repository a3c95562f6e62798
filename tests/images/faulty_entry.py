"""Handlers, commands and entry points that do not fit: rows A0, A5, A6."""

from tests.images.case import Case, on_base, rules

CASES = (
    Case(
        name="handler-module-absent",
        row="A0",
        dockerfile=on_base(cmd='["main.handler"]'),
        static=rules("handler-missing"),
        boot=rules("boot-import-error"),
        aws_text="Runtime.ImportModuleError: Unable to import module 'main': No module named 'main'",
        fix="COPY main.py",
    ),
    Case(
        name="handler-attribute-absent",
        row="A0",
        dockerfile=on_base(cmd='["app.nope"]'),
        static=rules("handler-attribute-missing"),
        boot=rules("boot-handler-missing"),
        aws_text="Runtime.HandlerNotFound: Handler 'nope' missing on module 'app'",
        fix="app.handler",
    ),
)
