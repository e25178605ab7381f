"""The two-way sync: look, plan, apply, report. The protocol is told in the README's chapter on the sync."""
