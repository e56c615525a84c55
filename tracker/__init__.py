"""Tracker: a self-hosted task-tracking API whose contract is ``spec/openapi.yaml``."""
