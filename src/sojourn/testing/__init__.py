"""What tests use and customers may too: simulated clock, ledger and servers. Nothing in the product imports it."""
