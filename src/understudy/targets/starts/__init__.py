"""Cold starts of a project's functions, in the sandbox or where they are deployed, and their budget."""
