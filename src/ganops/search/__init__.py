"""The search for a better recipe: Optuna proposes, trainings answer."""
