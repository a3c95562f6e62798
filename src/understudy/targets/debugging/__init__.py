"""Looks into a function of the running stack: its environment, a shell in its sandbox, a debugger.

Everything here makes a sandbox of its own beside the engine's, from what the engine says of the function: the
environments that serve requests are left alone.
"""
