"""The emulator behind the engine: installed apart, supervised, and forwarded what is not ours.

The engine speaks to it by command line and HTTP, and refuses to import it: its dependencies are not ours.
Nothing is re-exported, because the command line needs `install` alone and must not pay for the proxy.
"""
