"""Verify this archive: python verify.py [folder]. Bare Python 3.9 or later; nothing of Sevenfold is needed.

Checks every event's hash and its link to the one before, and that the last is the one of head.json. The head's Ed25519
signature is checked where the library ``cryptography`` is installed; Python's own has no Ed25519.
"""

import hashlib
import json
import sys
from pathlib import Path


def main(folder: Path) -> int:
    """Say what was found; 0 where all holds, 2 where not."""
    head = json.loads((folder / "head.json").read_text(encoding="utf-8"))
    n, previous = 0, "0" * 64
    with (folder / "events.jsonl").open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            event, n = json.loads(line), n + 1
            payload = hashlib.sha256(event["payload"].encode()).hexdigest()
            names = ("sequence", "type", "schema_version", "subject", "site", "actor", "happened_at", "recorded_at")
            envelope = [1, *(event[name] for name in names), payload, event["previous_hash"]]
            text = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
            own = hashlib.sha256(text.encode()).hexdigest()
            if event["sequence"] != n or event["previous_hash"] != previous or event["hash"] != own:
                return say(f"FAULT: event {n} was changed, inserted, removed or moved.", 2)
            previous = own
    if (head["count"], head["hash"]) != (n, previous):
        return say(f"FAULT: the head says {head['count']} events; {n} are here, or the last is another.", 2)
    say(f"{n} events: each has its hash, each follows the one before, and the last is the one of the head.", 0)
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return say("The head's signature was not checked: that needs the library 'cryptography'.", 0)
    signed = ["sevenfold ledger head", 1, head["count"], head["hash"], head["state"]]
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(head["public_key"]))
    try:
        key.verify(bytes.fromhex(head["signature"]), json.dumps(signed, separators=(",", ":")).encode())
    except InvalidSignature:
        return say("FAULT: the head's signature does not match what it says.", 2)
    return say(f"The head is signed by {head['public_key']}; compare that with the key you were told.", 0)


def say(text: str, code: int) -> int:
    """Print a sentence and pass the code on."""
    print(text)
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent))
