"""The static rules: each module knows one family of faults and is pure."""
