"""When something goes wrong and nobody looks: `stale_runs` sets runs right whose process is gone."""
