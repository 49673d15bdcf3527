// The actions of a session that is open, as they happen.
"use strict";

(() => {
  const body = document.getElementById("timeline");
  if (!body || !body.dataset.session) return;
  const blank = document.getElementById("action");
  const said = document.getElementById("watching");
  const counted = document.getElementById("actions-count");
  const session = body.dataset.session;
  const kept = 500;
  const tones = { completed: "done", failed: "bad", interrupted: "bad" };

  function took(microseconds) {
    if (microseconds === null || microseconds === undefined) return "–";
    if (microseconds >= 1e6) return `${(microseconds / 1e6).toFixed(1)} s`;
    if (microseconds >= 1e3) return `${(microseconds / 1e3).toFixed(1)} ms`;
    return `${microseconds} µs`;
  }

  function row(number) {
    const found = body.querySelector(`tr[data-number="${number}"]`);
    if (found) return found;
    const made = blank.content.firstElementChild.cloneNode(true);
    made.dataset.number = number;
    made.cells[0].textContent = number;
    const link = made.querySelector("a.open");
    if (link) {
      link.href = `/sessions/${session}/actions/${number}`;
      link.querySelector(".unseen").textContent = ` action ${number}`;
    }
    body.append(made);
    while (body.rows.length > kept) body.rows[0].remove();
    return made;
  }

  function show(change) {
    if (body.rows.length >= kept && change.number < Number(body.rows[0].dataset.number)) return;
    const shown = row(change.number);
    if (change.verb !== undefined) {
      const time = document.createElement("time");
      time.dateTime = change.at;
      time.textContent = new Date(change.at).toISOString().slice(11, 19);
      shown.querySelector(".when").replaceChildren(time);
      shown.querySelector(".verb").textContent = change.verb.replaceAll("_", " ");
      shown.querySelector(".touched").textContent = change.objects.join(", ");
      const mark = shown.querySelector(".verb + .state");
      if (mark && !change.may_write) mark.remove();
    }
    const state = document.createElement("span");
    const outcome = change.outcome || "running";
    state.className = `state ${tones[outcome] || "waiting"}`;
    state.textContent = outcome;
    const place = shown.querySelector(".outcome");
    place.replaceChildren(state);
    if (change.sqlstate) {
      const code = document.createElement("code");
      code.textContent = change.sqlstate;
      place.append(" ", code);
    }
    shown.querySelector(".count").textContent = change.rows ?? "–";
    shown.querySelector(".took").textContent = took(change.duration_us);
    if (counted && change.number > Number(counted.textContent)) counted.textContent = change.number;
  }

  const stream = new EventSource(`/api/v1/sessions/${session}/events?after=${body.dataset.last}`);
  stream.addEventListener("here", () => { said.textContent = "New actions appear here as they happen."; });
  stream.addEventListener("actions", (event) => JSON.parse(event.data).forEach(show));
  stream.addEventListener("closed", () => {
    stream.close();
    said.textContent = "The session is over.";
    const still = document.getElementById("still");
    if (still) still.textContent = "just now; load the page again to see why";
  });
  stream.addEventListener("error", () => {
    said.textContent = stream.readyState === EventSource.CLOSED
      ? "This page is not told any more. Load it again." : "Connecting again…";
  });
})();
