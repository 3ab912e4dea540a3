"""What learns, and how good it is: `train_topics`, `train_gist` and `train_forecast` make the models, `gist_judge` and
`forecast_judge` say how good they are on papers of your own."""
