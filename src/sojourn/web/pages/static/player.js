// Plays a recording, or what is shown while it is shown.
"use strict";

(() => {
  const player = document.getElementById("player");
  if (!player) return;
  const by = (name) => document.getElementById(name);
  const { session, action } = player.dataset;
  const PAUSE = 1.5, MARKS = 200;
  const terminal = new Terminal(80, 24);
  let live = player.dataset.live === "yes";
  let moments = [];          // [seconds, code, text]
  let times = [];            // when each is played, with pauses as they are wanted
  let fed = 0, clock = 0, playing = false, following = live, stamp = 0, drawing = false;

  const whole = () => (times.length ? times[times.length - 1] : 0);
  const said = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

  function schedule(from) {
    const shorten = by("idle").checked;
    for (let place = from; place < moments.length; place += 1) {
      const before = place ? moments[place - 1][0] : 0;
      const gap = Math.max(0, moments[place][0] - before);
      times[place] = (place ? times[place - 1] : 0) + (shorten ? Math.min(gap, PAUSE) : gap);
    }
    times.length = moments.length;
  }

  function play(moment) {
    const [, code, text] = moment;
    if (code === "o") terminal.feed(text);
    else if (code === "h" || code === "r") {
      const [columns, rows] = text.split("x").map(Number);
      terminal.resize(columns, rows, code === "h");
    }
  }

  function tell() {
    by("place").max = whole().toFixed(1);
    by("place").value = clock;
    by("time").textContent = `${said(clock)} / ${said(whole())}`;
    by("play").textContent = live ? (following ? "Pause" : "Go to now") : playing ? "Pause" : "Play";
    by("play").setAttribute("aria-pressed", String(live ? following : playing));
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => { drawing = false; draw(terminal, by("screen")); });
  }

  function seek(seconds) {
    clock = Math.max(0, Math.min(seconds, whole()));
    if (fed > 0 && times[fed - 1] > clock) { terminal.reset(); fed = 0; }
    while (fed < moments.length && times[fed] <= clock + 1e-6) play(moments[fed++]);
    tell();
  }

  function step(now) {
    if (!playing) return;
    seek(clock + ((now - stamp) / 1000) * Number(by("speed").value));
    stamp = now;
    if (clock >= whole()) { playing = false; tell(); } else requestAnimationFrame(step);
  }

  function start() {
    if (clock >= whole()) seek(0);
    playing = true;
    stamp = performance.now();
    tell();
    requestAnimationFrame(step);
  }

  function toggle() {
    if (live) { following = !following; if (following) seek(whole()); else tell(); }
    else if (playing) { playing = false; tell(); } else start();
  }

  function jump(seconds) { playing = false; following = false; seek(seconds); by("screen").focus(); }

  function place(list, seconds, words, mark) {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.append(`${said(seconds)} `, words.slice(0, 200));
    if (mark) { const marked = document.createElement("mark"); marked.textContent = mark; button.append(" ", marked); }
    button.addEventListener("click", () => jump(seconds));
    item.append(button);
    list.append(item);
  }

  function take(fresh) {
    const from = moments.length;
    moments.push(...fresh);
    schedule(from);
    for (let at = from; at < moments.length; at += 1) {
      const [, code, text] = moments[at];
      if (code === "m" && by("markers").childElementCount < MARKS) { place(by("markers"), times[at], text); by("no-markers").hidden = true; }
      if (code === "x") by("state").textContent = `It ended with ${text || "no status"}.`;
    }
    if (live && following) seek(whole()); else tell();
  }

  const bare = (text) => text.replace(/\x1b(?:\[[ -?]*[@-~]|[ -/]*[0-~])/g, "").replace(/[\x00-\x08\x0b-\x1f]/g, "");

  function find(wanted) {
    const list = by("found");
    list.replaceChildren();
    const low = wanted.toLowerCase();
    if (!low) return;
    for (const [codes, what] of [["o", "shown"], ["i", "typed"]]) {
      let held = "", heldAt = [];
      moments.forEach(([, code, text], at) => {
        if (!codes.includes(code)) return;
        const shown = bare(text);
        heldAt.push([held.length, at]);
        held += shown;
      });
      const under = held.toLowerCase();
      let entry = 0;
      for (let found = under.indexOf(low); found >= 0 && list.childElementCount < MARKS; found = under.indexOf(low, found + low.length)) {
        const last = found + low.length - 1;
        while (entry + 1 < heldAt.length && heldAt[entry + 1][0] <= last) entry += 1;
        const line = held.slice(held.lastIndexOf("\n", found) + 1).split("\n", 1)[0];
        place(list, times[heldAt[entry][1]], `${what}: ${line.trim()}`, held.slice(found, found + low.length));
      }
    }
    if (!list.childElementCount) { const none = document.createElement("li"); none.textContent = "Nowhere in this recording."; list.append(none); }
  }

  async function fetched() {
    const answer = await fetch(`/api/v1/sessions/${session}/replay?action=${action}`);
    if (!answer.ok) { by("state").textContent = (await answer.json()).error.message; return; }
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let held = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const lines = (held + value).split("\n");
      held = lines.pop();
      take(lines.filter(Boolean).map((line) => JSON.parse(line)));
    }
    by("state").textContent = by("state").textContent.replace("Loading…", "") || "Ready.";
    seek(0);
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) start();
  }

  function watched() {
    const stream = new EventSource(`/api/v1/sessions/${session}/events?recording=${action}`);
    stream.addEventListener("open", () => {
      moments = []; times = []; fed = 0; clock = 0; terminal.reset(); by("markers").replaceChildren();
      by("state").textContent = "Live: what is shown is on record before it is shown.";
    });
    stream.addEventListener("shown", (event) => take(JSON.parse(event.data)));
    stream.addEventListener("closed", () => {
      stream.close();
      live = false; following = false;
      by("state").textContent = "It is over. What was shown can be played from here.";
      tell();
    });
    stream.addEventListener("error", () => {
      by("state").textContent = stream.readyState === EventSource.CLOSED ? "This page is not told any more. Load it again." : "Connecting again…";
    });
  }

  by("play").addEventListener("click", toggle);
  by("place").addEventListener("input", () => { playing = false; following = false; seek(Number(by("place").value)); });
  by("idle").addEventListener("change", () => { const part = whole() ? clock / whole() : 0; schedule(0); fed = 0; terminal.reset(); seek(part * whole()); });
  by("search").addEventListener("submit", (event) => { event.preventDefault(); find(by("wanted").value); });
  by("screen").addEventListener("keydown", (event) => {
    const keys = { " ": toggle, ArrowLeft: () => jump(clock - 5), ArrowRight: () => jump(clock + 5), Home: () => jump(0), End: () => jump(whole()) };
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });
  tell();
  if (live) watched(); else fetched();
})();
