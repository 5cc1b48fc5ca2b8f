"""What writes and checks the documentation; nothing of it is needed to use ganops."""
