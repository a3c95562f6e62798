"""Where a stack runs: the project file, and the targets that it names."""
