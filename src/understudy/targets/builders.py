"""The names of what can build an image."""

from typing import Literal

Builder = Literal["native", "docker"]
