"""sojourn witness: run a witness, apart from the installation it watches."""
