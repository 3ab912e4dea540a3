"""How good the editions are, against what people said: `evaluate` (topics), `gist_evaluate` with `rouge` (gists) and
`forecast_report` (forecasts)."""
