"""polysched: small, meaningful spaces of legal polyhedral schedules, measured."""
