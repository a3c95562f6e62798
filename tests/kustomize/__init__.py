"""Overlays that kustomize and `understudy.manifests.overlays` both build, and what kustomize made of them."""
