"""From a plan to measurements in the store: variants, jobs, rounds, and going on where a campaign stopped."""
