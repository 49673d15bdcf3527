// Proofs of the ledger with the browser's own cryptography: signed notes (C2SP signed-note), and the Merkle tree of
// RFC 6962 with the checks of RFC 9162 (2.1.3.2 and 2.1.4.2). Each check gives nothing, or throws what is wrong.
"use strict";

const proof = (() => {
  const bytes = (text) => new TextEncoder().encode(text);
  const same = (one, other) => one.length === other.length && one.every((byte, place) => byte === other[place]);

  function decoded(text) {
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4) throw new Error("that is no base64");
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  }

  async function hash(...parts) {
    const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let place = 0;
    for (const part of parts) { whole.set(part, place); place += part.length; }
    return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
  }

  const leaf = (entry) => hash([0], entry);
  const node = (left, right) => hash([1], left, right);

  async function key(text) {
    const [name, identity, ...rest] = text.trim().split("+");
    const material = decoded(rest.join("+"));
    if (material.length !== 33 || material[0] !== 1) throw new Error("the key is no Ed25519 key");
    const id = (await hash(bytes(`${name}\n`), material)).slice(0, 4);
    if ([...id].map((byte) => byte.toString(16).padStart(2, "0")).join("") !== identity) throw new Error("the key is not what its name says");
    const made = await crypto.subtle.importKey("raw", material.slice(1), { name: "Ed25519" }, false, ["verify"]);
    return { name, id, made };
  }

  // The checkpoint that a note holds, once its signature by that key is checked.
  async function open(note, text) {
    const { name, id, made } = await key(text);
    const end = note.lastIndexOf("\n\n");
    if (end < 0) throw new Error("the checkpoint has no signature");
    const said = note.slice(0, end + 1);
    for (const line of note.slice(end + 2).split("\n")) {
      const found = /^\u2014 (\S+) (\S+)$/.exec(line);
      if (!found || found[1] !== name) continue;
      const signed = decoded(found[2]);
      if (signed.length !== 68 || !same(signed.slice(0, 4), id)) continue;
      if (!(await crypto.subtle.verify({ name: "Ed25519" }, made, signed.slice(4), bytes(said)))) throw new Error("the signature is wrong");
      const [origin, size, root] = said.split("\n");
      if (!/^(0|[1-9][0-9]{0,15})$/.test(size)) throw new Error("the checkpoint names no size");
      return { origin, size: Number(size), root: decoded(root), rootText: root };
    }
    throw new Error("it is not signed with this key");
  }

  // Sizes stay below 2^53, where a number is exact; shifts are divisions, as `>>` would cut it to 32 bits.
  const half = (number) => Math.floor(number / 2);
  const odd = (number) => number % 2 === 1;

  async function inclusion(hashed, index, size, path, root) {
    if (!(index >= 0 && index < size)) throw new Error("there is no such entry in this ledger");
    let position = index, last = size - 1, running = hashed;
    for (const sibling of path) {
      if (last === 0) throw new Error("the proof is too long");
      if (odd(position) || position === last) {
        running = await node(sibling, running);
        while (!odd(position) && position > 0) { position = half(position); last = half(last); }
      } else running = await node(running, sibling);
      position = half(position); last = half(last);
    }
    if (last !== 0) throw new Error("the proof is too short");
    if (!same(running, root)) throw new Error("the proof does not lead to the root");
  }

  async function consistency(old, size, oldRoot, newRoot, path) {
    if (old > size) throw new Error("the ledger has fewer entries than this browser has seen");
    if (old === size || old === 0) {
      if (path.length) throw new Error("the proof is too long");
      if (old === size && !same(oldRoot, newRoot)) throw new Error("two roots of the same size differ: the history was rewritten");
      return;
    }
    const steps = [...path];
    let power = old;
    while (!odd(power)) power = half(power);
    if (power === 1) steps.unshift(oldRoot);
    if (!steps.length) throw new Error("the proof is too short");
    let position = old - 1, last = size - 1;
    while (odd(position)) { position = half(position); last = half(last); }
    let before = steps[0], now = steps[0];
    for (const step of steps.slice(1)) {
      if (last === 0) throw new Error("the proof is too long");
      if (odd(position) || position === last) {
        before = await node(step, before);
        now = await node(step, now);
        while (!odd(position) && position > 0) { position = half(position); last = half(last); }
      } else now = await node(now, step);
      position = half(position); last = half(last);
    }
    if (last !== 0) throw new Error("the proof is too short");
    if (!same(before, oldRoot) || !same(now, newRoot)) throw new Error("the ledger does not extend what this browser has seen: the history was rewritten");
  }

  return { bytes, decoded, leaf, open, inclusion, consistency };
})();
