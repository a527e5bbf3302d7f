"""What the tasks that make clips share: what their data are brought to, their discriminators, and what is asked."""
