"""Reports for machines and for pull requests: SARIF, Markdown, the fault catalogue."""
