"""The service ``lambda``: functions of container images, their versions, and the environments that run them.

Named after what it keeps, for `lambda` is a word of the language. Refuses Zip packages, and to isolate
anything itself: execution environments are the sandbox's.
"""

from understudy.engine.functions.service import LambdaConfig, LambdaService

__all__ = ["LambdaConfig", "LambdaService"]
