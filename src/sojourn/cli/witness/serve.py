"""sojourn witness serve: cosign what extends what was seen, and refuse the rest."""

from __future__ import annotations

from pathlib import Path

from sojourn.app.witness import serve_witness, witness_layout
from sojourn.witness.process import Listening


def serve(
    *,
    data: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 6590,
    certificate: Path | None = None,
    certificate_key: Path | None = None,
) -> int:
    """Serve the witness until SIGTERM or Ctrl-C.

    Example: sojourn witness serve --data ./witness --host 0.0.0.0

    Parameters
    ----------
    data
        The witness's directory (default: SOJOURN_WITNESS_DATA, or ~/.local/share/sojourn-witness).
    host
        The address to listen on; 0.0.0.0 for every address of this machine.
    port
        The port to listen on; 0 for any free one, which is then in address.json.
    certificate
        A TLS certificate (PEM), with its chain. Without one, put a TLS proxy in front.
    certificate_key
        The certificate's private key (PEM).
    """
    listening = Listening(host=host, port=port, certificate=certificate, certificate_key=certificate_key)
    return serve_witness(witness_layout(data), listening)
