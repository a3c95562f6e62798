"""Takes any team's repository in: what its code and Dockerfile say becomes a project file and manifests.

`tree` reads the repository, `scan` decides what it holds, `files` and `manifests` write it down as text,
`writing` alone touches the disk and overwrites nothing. An importer stands in the place of the scan for a
repository that describes its stack to another tool.
"""

from understudy.targets.init.initialise import initialise

__all__ = ["initialise"]
