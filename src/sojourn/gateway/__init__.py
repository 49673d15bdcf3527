"""Where access happens: listener, verdict, recorder, deadline; one folder per protocol."""
