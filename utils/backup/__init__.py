"""Backup to a git repository without a secret in it, and the restore from there."""
