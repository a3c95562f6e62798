"""What Python the image runs: interpreter, search path, distributions, modules, imports."""
