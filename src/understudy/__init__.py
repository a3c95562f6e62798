"""understudy runs the identical Lambda container image locally, under Lambda's own constraints."""

__all__ = ["__version__"]

__version__ = "0.1.0"
