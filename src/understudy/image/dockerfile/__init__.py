"""The Dockerfile as text: what it says, and which paths of the context it may see.

After BuildKit's reader and rules. Pure, and refuses to pass over what it does not support: a silently ignored
line would build another image than Docker does.
"""

from understudy.image.dockerfile.parser import parse

__all__ = ["parse"]
