"""Health that tells the truth: checks (fact, rule, hint), healing on proof, alerts."""
