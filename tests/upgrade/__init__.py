"""What an earlier release wrote is opened by this one."""
