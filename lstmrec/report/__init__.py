"""What a run came to: a summary for a terminal, and a page with charts for a browser."""
