"""File autosync: which files changed, told once each."""
