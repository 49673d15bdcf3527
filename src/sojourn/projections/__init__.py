"""Read models folded from the ledger: tables, queries, cursors, rebuild."""
