"""Prefect flows: when, where and in what order the stages run, with retries, timeouts and artifacts."""
