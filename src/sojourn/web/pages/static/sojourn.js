// Times in the reader's zone beside UTC, and how long is left. Everything works without this.
"use strict";

const zone = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

function local(time) {
  const at = new Date(time.dateTime);
  if (at.getTimezoneOffset() === 0 || Number.isNaN(at.getTime()) || time.title) return;
  time.title = time.textContent;
  const here = document.createElement("span");
  here.className = "here";
  here.textContent = ` (${(time.className === "short" ? clock : zone).format(at)})`;
  time.append(here);
}

function words(seconds) {
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const said = [];
  let left = seconds;
  for (const [size, unit] of parts) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) said.push(`${count} ${unit}`);
  }
  return said.slice(0, 2).join(" ") || "0 s";
}

function count() {
  for (const place of document.querySelectorAll("[data-until]")) {
    const left = Math.round((new Date(place.dataset.until) - Date.now()) / 1000);
    if (!place.title) place.title = place.textContent;
    place.textContent = left > 0 ? `in ${words(left)}` : "over";
    place.classList.toggle("soon", left > 0 && left < 300);
  }
}

for (const time of document.querySelectorAll("time")) if (!time.closest("[data-until]")) local(time);
count();
setInterval(count, 1000);

// What stands behind the # of an address never leaves the browser: a one-time code of a link.
for (const field of document.querySelectorAll("[data-fragment]")) {
  const given = new URLSearchParams(location.hash.slice(1)).get(field.name);
  if (given) field.value = given;
}
