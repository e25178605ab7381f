"""What stands in when no service is configured: an embedded PostgreSQL and a Notion sandbox."""
