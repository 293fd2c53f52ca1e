"""Verify this archive: python verify.py [folder]. Bare Python 3.9 or later; the signature needs `cryptography`."""

import hashlib
import json
import sys
from pathlib import Path


def main(folder: Path) -> str:
    """Say what holds; end with FAULT and code 1 where something does not."""
    head = json.loads((folder / "head.json").read_text(encoding="utf-8"))
    n, previous = 0, "0" * 64
    with (folder / "events.jsonl").open(encoding="utf-8", newline="\n") as lines:
        for n, event in enumerate(map(json.loads, lines), start=1):
            payload = hashlib.sha256(event["payload"].encode()).hexdigest()
            names = ("sequence", "type", "schema_version", "subject", "site", "actor", "happened_at", "recorded_at")
            envelope = [1, *(event[name] for name in names), payload, event["previous_hash"]]
            text = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
            own = hashlib.sha256(text.encode()).hexdigest()
            if event["sequence"] != n or event["previous_hash"] != previous or event["hash"] != own:
                sys.exit(f"FAULT: event {n} was changed, inserted, removed or moved.")
            previous = own
    if (head["count"], head["hash"]) != (n, previous):
        sys.exit(f"FAULT: the head says {head['count']} events; {n} are here, or the last is another.")
    print(f"{n} events: each has its hash, each follows the one before, and the last is the one of the head.")
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return "The head's signature was not checked: that needs the library 'cryptography'."
    signed = ["sevenfold ledger head", 1, head["count"], head["hash"], head["state"]]
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(head["public_key"]))
    try:
        key.verify(bytes.fromhex(head["signature"]), json.dumps(signed, separators=(",", ":")).encode())
    except Exception:  # noqa: BLE001  # whatever the library calls it
        sys.exit("FAULT: the head's signature does not match what it says.")
    return f"The head is signed by {head['public_key']}; compare that with the key you were told."


print(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent))
