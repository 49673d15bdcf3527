"""The command line: one file per command, one folder per group of commands."""

from __future__ import annotations

import sys

COMMANDS = {
    "init": "Write commented examples of every file.",
    "serve": "Run scribe, publisher, control and gateway on this machine.",
    "demo": "See one access from request to proof, on a real PostgreSQL.",
    "invite": "Let somebody set up an account.",
    "enrol": "Redeem an invitation and choose a password.",
    "login": "Sign in.",
    "logout": "Sign out.",
    "whoami": "Show who is signed in.",
    "targets": "List what you may ask for.",
    "request": "Ask for an access.",
    "revise": "Change what a request asks for.",
    "extend": "Ask that an access of yours lasts longer.",
    "comment": "Say or ask something about a request.",
    "requests": "List requests: yours, or those that wait for you.",
    "show": "Show one request, grant or session.",
    "approve": "Say yes to a request.",
    "deny": "Say no to a request.",
    "withdraw": "Take a request, or your approval of one, back.",
    "activate": "Begin an approved access.",
    "break-glass": "Take an access at once, when nobody is there to decide.",
    "connect": "Work in a target with your own client.",
    "ssh-config": "Get an SSH certificate, and write what ssh needs to go through the gateway.",
    "ssh-key add": "Register a public key of yours.",
    "ssh-key remove": "Take back a key of yours.",
    "grants": "List accesses.",
    "end": "End your own access early.",
    "revoke": "Take somebody's access away.",
    "leave": "Record that somebody has left: all that they hold ends.",
    "rejoin": "Record that somebody is back.",
    "look-back": "Show what somebody had and did.",
    "away declare": "Be away, and name who decides in your place.",
    "away list": "List who is away.",
    "away end": "Be back early.",
    "facts on-call": "Tell who is on call, and when.",
    "facts deployment": "Tell who deployed what runs on a target.",
    "facts incident": "Tell the state of an incident.",
    "facts ticket": "Tell the kind and the state of a ticket.",
    "facts withdraw": "Take back what was told.",
    "facts list": "List what was told.",
    "review list": "List reviews that wait for you.",
    "review show": "Show what was done under an access, and what was said about it.",
    "review question": "Ask the holder of an access about it.",
    "review answer": "Answer a question about an access of yours.",
    "review conclude": "Answer the checklist and say what you found.",
    "certify open": "Have everybody's eligibility looked at.",
    "certify list": "List campaigns.",
    "certify show": "Show what a campaign looks at.",
    "certify decide": "Keep something for somebody, or take it away.",
    "certify close": "End a campaign that is decided or due.",
    "sessions": "List sessions.",
    "actions": "List what was done in a session.",
    "replay": "See what was shown in a session, search it, or write it to a file.",
    "watch": "See what is shown in a session while it lasts.",
    "attempts": "List what was refused.",
    "evidence": "Write the evidence pack of one access event.",
    "exception dispose": "Say what becomes of a test that failed.",
    "report list": "List the reports that can be made.",
    "report fetch": "Have a report made by the installation, and take it away.",
    "report make": "Make a report on the machine itself, whether Sojourn runs or not.",
    "report delivered": "List the reports that schedules made, or take one away.",
    "sample list": "List the samples that auditors drew.",
    "sample show": "Show a sample, and what was asked about it.",
    "sample ask": "Ask somebody about an item of a sample.",
    "sample answer": "Answer what an auditor asked.",
    "sample packs": "Write the evidence packs of all items of a sample.",
    "controls list": "List every control, with what is on record of it.",
    "controls show": "Show one control: wording, design, operation, tests.",
    "controls prove": "Try to break the controls, and have the result signed.",
    "hold place": "Keep what must not be destroyed.",
    "hold list": "List holds.",
    "hold release": "Release a hold; takes two people.",
    "shred": "Make what was sealed about somebody unreadable; takes two people.",
    "retention show": "Show how long records are kept.",
    "retention set": "Keep a class of record for so long.",
    "retention confirm": "Agree to a shorter retention.",
    "retention withdraw": "Leave a retention as it is.",
    "retention dispose": "Destroy what has been kept long enough.",
    "retention certificate": "Write the proof of a destruction.",
    "ledger": "Show the signed head of the record.",
    "signing-key rotate": "Begin to change the key that signs the ledger.",
    "signing-key finish": "Let the new key sign alone.",
    "doctor worm": "Try to alter what is locked in the bucket.",
    "audit tail": "Show the newest entries of the record, and those to come.",
    "audit show": "Show one entry, or all of a stream.",
    "audit search": "Find entries by what they say.",
    "audit verify": "Verify the ledger with the installation's own key.",
    "audit export": "Write the complete copy that anybody can verify.",
    "audit ocsf": "Write the record as OCSF events, for a SIEM.",
    "audit drill": "Alter clones of the ledger, and show who notices.",
    "audit replay": "Prove that lists and pages show what is on record.",
    "store schema": "Print the SQL that prepares a PostgreSQL database for the ledger.",
    "target preflight": "Say what Sojourn's own account lacks on a target.",
    "target ssh-setup": "Print what an SSH host needs, or check that it has it.",
    "target reconcile": "Compare a target with the record now.",
    "target looks": "List what was seen at a target.",
    "witness init": "Make a witness: a separate party that cosigns a ledger's checkpoints.",
    "witness serve": "Cosign what extends what was seen, and refuse the rest.",
    "witness add-log": "Cosign for one more ledger.",
    "witness show": "Show what a witness has cosigned.",
    "witness evidence": "List the contradictions that a witness was shown.",
    "policy check": "Say what is wrong or remarkable about a policy.",
    "policy test": "Try the tests that lie beside a policy.",
    "policy diff": "Tell who gains or loses what by a change.",
    "policy explain": "Tell why somebody may have something, or not.",
    "policy who-can": "List everybody who can get a role on a target.",
    "policy render": "Write a policy as the tables that an auditor reads.",
    "policy export": "Write a policy in Cedar, the language of another engine.",
    "policy fetch": "Write the files that are in force.",
    "policy propose": "Propose a change of people, targets or policy.",
    "policy changes": "List proposed changes, or show one.",
    "policy approve-change": "Approve a change that somebody else proposed.",
    "policy withdraw": "Take a proposed change back.",
    "completion": "Print a completion script for your shell.",
}
"""Every command and what it is for; it lies in the module of its name, imported only when it is used.

`"audit tail"` is the command `tail` of the group `audit`, in `audit/tail.py`.
"""

GROUPS: dict[str, str] = {
    "exception": "What becomes of what a test found wrong.",
    "sample": "What auditors drew, asked and took away.",
    "controls": "What the controls promise, and what shows that they work.",
    "report": "Populations, rosters and exceptions over a period.",
    "store": "Choose where the ledger is kept.",
    "review": "Look back at what was done under an access.",
    "certify": "Have everybody's eligibility confirmed, or taken away.",
    "target": "Look behind a target: privileges, sessions, accounts.",
    "audit": "Read and prove the record where it lies.",
    "hold": "Legal holds: what must not be destroyed.",
    "retention": "How long records are kept, and their disposal.",
    "signing-key": "Change the key that signs the ledger.",
    "doctor": "Check what Sojourn relies on.",
    "policy": "Read, try, compare and change what is allowed.",
    "ssh-key": "Keys of your own that open the gateway.",
    "witness": "Run a witness, apart from the installation it watches.",
    "facts": "Tell what the policy may ask about the world.",
    "away": "Be out of office: when, and who decides in your place.",
}
"""Every group of commands and what it is about."""


def place(command: str) -> tuple[str, str]:
    """The module of a command and the name of its function there: `("sojourn.cli.audit.tail", "tail")`."""
    path = command.replace("-", "_").replace(" ", ".")
    return f"sojourn.cli.{path}", path.rpartition(".")[2]


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from importlib.metadata import version

        sys.stdout.write(f"sojourn {version('sojourn')}\n")
        return
    from .program import run

    sys.exit(run(sys.argv[1:]))
