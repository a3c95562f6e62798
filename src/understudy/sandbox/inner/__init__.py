"""The programs that run on the sandbox's side: standard library only, one thread, started without `site`.

They are imported as the top-level package `inner` by a bare interpreter (`python -I -S`), which knows
nothing of understudy or of the platform's dependencies; so they refuse to import anything outside this
folder. `pathlib` is left out on purpose: paths here are relative to roots that change under the process.
"""
