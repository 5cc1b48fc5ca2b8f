"""The service: generates over HTTP with a registered model, and follows its alias without a restart."""
