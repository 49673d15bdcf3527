// Checks what the page shows, and keeps the last head that this browser has seen.
"use strict";

(async () => {
  const checks = document.getElementById("checks");
  if (!checks) return;
  const text = (name) => document.getElementById(name).textContent;

  function tell(good, words) {
    const item = document.createElement("li");
    item.className = good ? "good" : "bad";
    item.textContent = words;
    checks.append(item);
    checks.dataset.done = good && checks.dataset.done !== "bad" ? "good" : "bad";
  }

  async function grown(head, origin, key) {
    const place = `sojourn.ledger.${origin}`;
    const kept = JSON.parse(localStorage.getItem(place) || "null");
    if (kept === null) {
      tell(true, "This browser sees this ledger for the first time, and keeps its head and its key.");
    } else if (kept.key !== key) {
      tell(false, "The ledger's key is another one than this browser has seen. Ask for the record of the change before you trust it.");
      return;
    } else {
      const answered = await fetch(`/api/v1/ledger/consistency?old=${kept.size}`);
      if (!answered.ok) throw new Error("the ledger has fewer entries than this browser has seen");
      const shown = await answered.json();
      const now = await proof.open(shown.checkpoint, key);
      await proof.consistency(kept.size, now.size, proof.decoded(kept.root), now.root, shown.hashes.map(proof.decoded));
      tell(true, `It only grew since this browser saw it last, from ${kept.size} to ${now.size} entries.`);
      head = now;
    }
    localStorage.setItem(place, JSON.stringify({ size: head.size, root: head.rootText, key }));
  }

  document.getElementById("checks-waiting").remove();
  try {
    const key = text("key").trim();
    const head = await proof.open(text("checkpoint"), key);
    tell(true, `The checkpoint over ${head.size} entries is signed with the ledger's key.`);
    if (checks.dataset.kind === "entry") {
      const hashed = await proof.leaf(proof.bytes(text("entry")));
      const path = [...document.querySelectorAll("#hashes code")].map((one) => proof.decoded(one.textContent));
      await proof.inclusion(hashed, Number(checks.dataset.number), head.size, path, head.root);
      tell(true, "These bytes are in the ledger, at this place.");
    } else await grown(head, checks.dataset.origin, key);
  } catch (error) {
    const unable = error.name === "NotSupportedError" || !globalThis.crypto?.subtle;
    tell(false, unable ? "This browser cannot check Ed25519 signatures." : `Not proven: ${error.message}.`);
  }
})();
