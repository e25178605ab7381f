"""One adapter a service; nothing else talks to it."""
