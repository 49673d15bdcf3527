// Passkeys: one is made, one signs its person in, and one signs a decision before the form with it is sent.
"use strict";

(() => {
  const able = globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON && navigator.credentials;
  const WORDS = {
    NotAllowedError: "No passkey has answered: it was cancelled, it took too long, or there is none for this address here.",
    InvalidStateError: "There is a passkey for this account on this device already.",
    SecurityError: "Passkeys answer at the address that this installation is known by. Open this page there.",
  };
  const sealed = new WeakSet();

  function tell(form, words) {
    const old = form.querySelector(".problem");
    if (old) old.remove();
    if (!words) return;
    const box = document.createElement("div");
    box.className = "problem";
    box.setAttribute("role", "alert");
    for (const line of words) {
      const said = document.createElement("p");
      said.textContent = line;
      box.append(said);
    }
    form.prepend(box);
  }

  async function ask(path, body) {
    const answered = await fetch(`/api/v1${path}`, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    });
    const said = await answered.json();
    if (!answered.ok) throw Object.assign(new Error(said.error.message), { next: said.error.next_step });
    return said;
  }

  const values = (form, names) =>
    Object.fromEntries(names.filter((name) => form.elements[name]).map((name) => [name, form.elements[name].value]));

  async function create(form) {
    const asked = await ask("/passkeys/options", values(form, ["person", "code"]));
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked.public_key);
    return [asked, await navigator.credentials.create({ publicKey })];
  }

  async function get(path, body) {
    const asked = await ask(path, body);
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.public_key);
    return [asked, await navigator.credentials.get({ publicKey })];
  }

  function begin(form, button) {
    const { passkey, confirm, subject, details } = button.dataset;
    if (passkey === "create") return create(form);
    if (passkey === "get") return get("/sign-in/passkey/options", {});
    const named = values(form, details ? details.split(" ") : []);
    return get("/confirmations/options", { action: confirm, subject, details: named });
  }

  async function carry(form, button) {
    tell(form, null);
    button.disabled = true;
    try {
      const [asked, credential] = await begin(form, button);
      (form.elements.confirmation || form.elements.ticket).value = asked.ticket;
      if (form.elements.checkpoint) form.elements.checkpoint.value = asked.checkpoint;
      form.elements.credential.value = JSON.stringify(credential);
      button.disabled = false;
      if (button.type === "button") {
        form.submit();
      } else {
        sealed.add(form);
        form.requestSubmit(button);
      }
    } catch (error) {
      tell(form, [WORDS[error.name] || error.message, error.next].filter(Boolean));
    } finally {
      button.disabled = false;
    }
  }

  document.addEventListener("submit", (event) => {
    const { target: form, submitter: button } = event;
    if (sealed.delete(form) || !button || !(button.dataset.passkey || button.dataset.confirm)) return;
    if (button.dataset.confirm && (!able || form.elements.password?.value)) return;
    event.preventDefault();
    carry(form, button);
  });

  // A button beside others that send the same form: what those need besides is not asked for.
  document.addEventListener("click", ({ target: button }) => {
    if (button.type !== "button" || !button.dataset.passkey) return;
    const { form } = button;
    if (["person", "code"].every((name) => form.elements[name].reportValidity())) carry(form, button);
  });

  // A page that a browser has kept comes back without what was signed for another time.
  addEventListener("pageshow", () => {
    for (const field of document.querySelectorAll("input[name=credential]")) field.value = "";
  });

  if (able) for (const part of document.querySelectorAll("[data-able]")) part.hidden = false;
})();
