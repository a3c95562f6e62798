"""The kinds of resources, one AWS service or part of one per module: read, made, changed, taken away."""
