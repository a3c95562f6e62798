"""Brings a target's resources to what the manifests say: observe, plan, apply.

The only package that imports the AWS SDK. Every write goes through a plan, which is data.
"""
