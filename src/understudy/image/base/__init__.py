"""The stand-in for AWS's Python base image, and how FROM comes to use it.

For machines that cannot reach `public.ecr.aws`: Debian's Python 3.13 with AWS's runtime interface client,
laid out like AWS's image. It is another image, and says so in a label that every image built on it inherits.
"""

from understudy.image.base.build import NAMES, build_base, tag
from understudy.image.base.resolver import FallbackResolver, Registry, from_registries, stands_in_for

__all__ = ["NAMES", "FallbackResolver", "Registry", "build_base", "from_registries", "stands_in_for", "tag"]
