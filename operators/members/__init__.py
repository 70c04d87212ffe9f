"""Members: what they bought and gave back, who is whom, and in which segment each one is."""
