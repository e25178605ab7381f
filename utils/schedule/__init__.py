"""The cadence of the jobs, and what carries it out: slots, child processes, history, claims, exports."""
