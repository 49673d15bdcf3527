"""How a host ends an access by itself, when nobody comes to do it: scripts of POSIX sh, run as root.

- A process of root's waits on the host from the time when the access is made. At the end it does what taking the access
  back does there. So neither control nor gateway nor scribe has to be alive for that.
- It goes by the time since the host was started, so nobody moves the end by setting a clock.
- Whoever renames the file `end` does the work, and nobody else: that process, or control, which comes at the same time.
  What the process has ended is written down for control, which reads back what is left and puts both on record.
- Nothing of it outlives a restart of the host, and neither does what it was to end.
"""

from __future__ import annotations

from shlex import quote

PLACE = "/run/sojourn"
LOOK_SECONDS = 30
"""The process looks again so often, for the end may be moved, and a machine may be suspended."""

GRACE_SECONDS = 0.5
"""Gateway and control come first: they have something to say to who is there."""

TAKING_BACK_SECONDS = 10
"""So long control waits for the process if that has begun."""

_WAIT = f"""\
cd "$1" || exit
echo $$ >process
seconds() {{
  awk -v most={LOOK_SECONDS} 'NR == FNR {{now = $1; next}} {{left = $1 - now; if (left > most) left = most
    if (left < 0.01) print 0; else printf "%.2f", left}}' /proc/uptime "$1" 2>/dev/null
}}
while left=$(seconds end); do
  if [ "$left" != 0 ]; then sleep "$left" 2>/dev/null || sleep 1; continue; fi
  mv end taken 2>/dev/null || exit 0
  if [ "$(seconds taken)" = 0 ]; then
    sh take_back >part 2>/dev/null; mv part done; exit 0
  fi
  # It was moved meanwhile.
  mv taken end
done
"""
"""What the process does. Its argument is the folder of the access; it goes when there is no `end` there any more."""

_ALIVE = 'alive() { grep -qF "$place/wait" "/proc/$(cat "$place/process" 2>/dev/null)/cmdline" 2>/dev/null; }'


def _place(credential: str) -> str:
    return f"place={quote(f'{PLACE}/{credential}')}"


def hold(*, credential: str, seconds: float, take_back: str) -> str:
    """Have the host end the access in so many `seconds` and a moment, whatever it was told before.

    `take_back` is the script that does it. Fails if it has ended it already, or if it cannot.
    """
    left = max(0.0, seconds) + GRACE_SECONDS
    return "\n".join(
        (
            "set -eu; umask 077",
            _place(credential),
            _ALIVE,
            'mkdir -p "$place"; cd "$place"',
            "ended() { echo 'the host has ended it already' >&2; exit 1; }",
            "if [ -e taken ]; then ended; fi",
            f"printf %s {quote(take_back)} >take_back; printf %s {quote(_WAIT)} >wait",
            f"awk -v left={left:.2f} '{{printf \"%.2f\\n\", $1 + left}}' /proc/uptime >new; mv new end",
            "if [ -e taken ]; then ended; fi",
            "if ! alive; then",
            '  setsid sh "$place/wait" "$place" >/dev/null 2>&1 </dev/null &',
            "  for try in $(seq 50); do if alive; then break; fi; sleep 0.1; done",
            "  alive || { echo 'the host cannot watch over the end of the access' >&2; exit 1; }",
            "fi",
            "echo 'ended by the host itself if nobody comes'",
            "",
        )
    )


def release(credential: str) -> str:
    """Take the end into one's own hands; sets `earlier` to how many processes the host has ended by itself."""
    return "\n".join(
        (
            _place(credential),
            _ALIVE,
            'if mv "$place/end" "$place/released" 2>/dev/null; then',
            '  if alive; then kill -TERM "-$(cat "$place/process")"; fi',
            "else",
            f"  for try in $(seq {TAKING_BACK_SECONDS * 10}); do",
            '    if [ ! -e "$place/taken" ] || [ -e "$place/done" ]; then break; fi; sleep 0.1; done',
            "fi",
            "earlier=$(sed -n 's/^ended //p' \"$place/done\" 2>/dev/null); earlier=${earlier:-0}",
            "",
        )
    )


def forget(credential: str) -> str:
    """Remove what is left of it, once all else is done."""
    return f"rm -rf {quote(f'{PLACE}/{credential}')}\n"
