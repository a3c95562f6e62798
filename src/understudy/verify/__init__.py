"""Proof that an image starts on Lambda, or the exact cause and the fix: rules over its files, then a boot."""
