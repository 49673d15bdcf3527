"""Controls: what each promises in the words of the policy in force, what enforces it, and what shows that it worked."""
