"""Assistant output becomes decisions: files and streams in, decisions with their sources out."""
