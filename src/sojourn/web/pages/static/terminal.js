// A terminal that only shows: it writes, colours and moves the cursor as ECMA-48 and xterm's ctlseqs say, and answers
// nothing. What reaches it has been behind the server's curtain; what it makes is text in the page and never HTML.
"use strict";

const LARGEST = { columns: 500, rows: 200 };
const PLAIN = Object.freeze({ fg: null, bg: null, bold: false, dim: false, italic: false, under: false, inverse: false, hidden: false, struck: false });
const LINES = { j: "┘", k: "┐", l: "┌", m: "└", n: "┼", q: "─", t: "├", u: "┤", v: "┴", w: "┬", x: "│", a: "▒", o: "⎺", s: "⎽", "`": "◆", "~": "·" };

function wide(point) {
  return (point >= 0x1100 && point <= 0x115f) || (point >= 0x2e80 && point <= 0xa4cf) || (point >= 0xac00 && point <= 0xd7a3) ||
    (point >= 0xf900 && point <= 0xfaff) || (point >= 0xfe30 && point <= 0xfe6f) || (point >= 0xff00 && point <= 0xff60) ||
    (point >= 0xffe0 && point <= 0xffe6) || (point >= 0x1f300 && point <= 0x1faff) || (point >= 0x20000 && point <= 0x3fffd);
}

const joined = /^[\p{Mn}\p{Me}\u200d\ufe0e\ufe0f]$/u;

class Terminal {
  constructor(columns, rows) { this.resize(columns, rows, true); }

  resize(columns, rows, fresh = false) {
    this.columns = Math.max(1, Math.min(columns || 80, LARGEST.columns));
    this.rows = Math.max(1, Math.min(rows || 24, LARGEST.rows));
    if (fresh) this.reset();
    for (const lines of [this.lines, this.other]) {
      while (lines.length > this.rows) { if (this.y > 0) { lines.shift(); this.y -= 1; } else lines.pop(); }
      while (lines.length < this.rows) lines.push(this.blank());
      for (const line of lines) { line.length = Math.min(line.length, this.columns); while (line.length < this.columns) line.push(this.space()); }
    }
    this.top = 0; this.bottom = this.rows - 1;
    this.x = Math.min(this.x, this.columns - 1); this.y = Math.min(this.y, this.rows - 1);
  }

  reset() {
    this.attr = PLAIN; this.x = 0; this.y = 0; this.top = 0; this.bottom = this.rows - 1;
    this.wrapping = false; this.autowrap = true; this.origin = false; this.inserting = false; this.cursor = true;
    this.saved = { x: 0, y: 0, attr: PLAIN }; this.sets = ["B", "B"]; this.set = 0; this.held = ""; this.last = " ";
    this.lines = Array.from({ length: this.rows }, () => this.blank());
    this.other = Array.from({ length: this.rows }, () => this.blank());
    this.alternate = false;
  }

  space() { return { text: " ", attr: this.attr.bg === null ? PLAIN : { ...PLAIN, bg: this.attr.bg } }; }
  blank() { return Array.from({ length: this.columns }, () => this.space()); }

  feed(text) {
    const all = this.held + text;
    this.held = "";
    let place = 0;
    while (place < all.length) {
      const letter = all[place];
      if (letter === "\x1b") {
        const sequence = /^\x1b(?:\[[ -?]*[@-~]|[ -/]+[0-~]|[0-Z\\^-~])/.exec(all.slice(place, place + 300));
        if (sequence) { this.obey(sequence[0]); place += sequence[0].length; continue; }
        if (all.length - place < 300) { this.held = all.slice(place); return; }
        place += 1;
      } else if (letter < " ") { this.control(letter); place += 1; }
      else { const point = all.codePointAt(place); const whole = String.fromCodePoint(point); this.write(whole, point); place += whole.length; }
    }
  }

  control(letter) {
    this.wrapping = letter === "\x07" ? this.wrapping : false;
    switch (letter) {
      case "\b": this.x = Math.max(0, this.x - 1); break;
      case "\t": this.x = Math.min(this.columns - 1, (Math.floor(this.x / 8) + 1) * 8); break;
      case "\n": case "\v": case "\f": this.down(); break;
      case "\r": this.x = 0; break;
      case "\x0e": this.set = 1; break;
      case "\x0f": this.set = 0; break;
    }
  }

  write(whole, point) {
    if (joined.test(whole)) {
      const before = this.lines[this.y][Math.max(0, this.x - (this.wrapping ? 0 : 1))];
      if (before.text.length < 16) before.text += whole;
      return;
    }
    const shown = this.sets[this.set] === "0" && LINES[whole] ? LINES[whole] : whole;
    const width = wide(point) ? 2 : 1;
    if (this.wrapping || this.x + width > this.columns) {
      if (this.autowrap) { this.x = 0; this.down(); } else this.x = Math.max(0, this.columns - width);
      this.wrapping = false;
    }
    const line = this.lines[this.y];
    if (this.inserting) { line.splice(this.x, 0, ...Array.from({ length: width }, () => this.space())); line.length = this.columns; }
    line[this.x] = { text: shown, attr: this.attr };
    if (width === 2 && this.x + 1 < this.columns) line[this.x + 1] = { text: "", attr: this.attr };
    this.last = whole;
    this.x += width;
    if (this.x >= this.columns) { this.x = this.columns - 1; this.wrapping = true; }
  }

  down() { if (this.y === this.bottom) this.scroll(1); else if (this.y < this.rows - 1) this.y += 1; }
  up() { if (this.y === this.top) this.scroll(-1); else if (this.y > 0) this.y -= 1; }

  scroll(count, from = this.top) {
    const times = Math.min(Math.abs(count), this.bottom - from + 1);
    for (let done = 0; done < times; done += 1) {
      this.lines.splice(count > 0 ? from : this.bottom, 1);
      this.lines.splice(count > 0 ? this.bottom : from, 0, this.blank());
    }
  }

  obey(sequence) {
    if (sequence[1] !== "[") { this.escape(sequence.slice(1)); return; }
    const final = sequence[sequence.length - 1];
    const inner = sequence.slice(2, -1);
    const mark = /^[<=>?]/.test(inner) ? inner[0] : "";
    const given = inner.slice(mark.length).replace(/[ -/]+$/, "").split(";").map((one) => one.split(":"));
    const numbers = given.map((one) => Math.min(Number(one[0]) || 0, 9999));
    if (mark === "?") { if (final === "h" || final === "l") numbers.forEach((one) => this.mode(one, final === "h")); return; }
    if (mark || /[ -/]/.test(inner)) return;
    if (final === "m") { this.colour(given); return; }
    this.wrapping = false;
    this.move(final, numbers);
  }

  escape(rest) {
    if (rest[0] === "(" || rest[0] === ")") { this.sets[rest[0] === "(" ? 0 : 1] = rest[1] || "B"; return; }
    switch (rest) {
      case "7": this.saved = { x: this.x, y: this.y, attr: this.attr }; break;
      case "8": ({ x: this.x, y: this.y, attr: this.attr } = this.saved); this.keep(); break;
      case "D": this.down(); break;
      case "E": this.x = 0; this.down(); break;
      case "M": this.up(); break;
    }
  }

  keep() { this.x = Math.max(0, Math.min(this.x, this.columns - 1)); this.y = Math.max(0, Math.min(this.y, this.rows - 1)); }

  mode(number, on) {
    switch (number) {
      case 6: this.origin = on; this.x = 0; this.y = on ? this.top : 0; break;
      case 7: this.autowrap = on; break;
      case 25: this.cursor = on; break;
      case 47: case 1047: case 1049:
        if (on !== this.alternate) {
          if (on) this.saved = { x: this.x, y: this.y, attr: this.attr };
          [this.lines, this.other] = [this.other, this.lines];
          this.alternate = on;
          if (on) this.lines = Array.from({ length: this.rows }, () => this.blank());
          else if (number === 1049) { ({ x: this.x, y: this.y, attr: this.attr } = this.saved); this.keep(); }
        }
    }
  }

  move(final, numbers) {
    const first = numbers[0] || 1;
    const line = this.lines[this.y];
    switch (final) {
      case "A": this.y = Math.max(this.y >= this.top ? this.top : 0, this.y - first); break;
      case "B": case "e": this.y = Math.min(this.y <= this.bottom ? this.bottom : this.rows - 1, this.y + first); break;
      case "C": case "a": this.x += first; break;
      case "D": this.x -= first; break;
      case "E": this.x = 0; this.y += first; break;
      case "F": this.x = 0; this.y -= first; break;
      case "G": case "`": this.x = first - 1; break;
      case "d": this.y = first - 1 + (this.origin ? this.top : 0); break;
      case "H": case "f": this.y = first - 1 + (this.origin ? this.top : 0); this.x = (numbers[1] || 1) - 1; break;
      case "J": this.erase(numbers[0]); break;
      case "K": this.wipe(this.y, numbers[0] === 0 ? this.x : 0, numbers[0] === 1 ? this.x + 1 : this.columns); break;
      case "L": case "M": if (this.y >= this.top && this.y <= this.bottom) { this.scroll(final === "M" ? first : -first, this.y); this.x = 0; } break;
      case "P": line.splice(this.x, Math.min(first, this.columns)); while (line.length < this.columns) line.push(this.space()); break;
      case "@": line.splice(this.x, 0, ...Array.from({ length: Math.min(first, this.columns) }, () => this.space())); line.length = this.columns; break;
      case "X": this.wipe(this.y, this.x, Math.min(this.columns, this.x + first)); break;
      case "S": this.scroll(first); break;
      case "T": this.scroll(-first); break;
      case "b": for (let done = 0; done < Math.min(first, this.columns * this.rows); done += 1) this.write(this.last, this.last.codePointAt(0)); break;
      case "r": this.margins(numbers); break;
      case "s": this.saved = { x: this.x, y: this.y, attr: this.attr }; break;
      case "u": ({ x: this.x, y: this.y, attr: this.attr } = this.saved); break;
      case "h": case "l": if (numbers[0] === 4) this.inserting = final === "h"; break;
    }
    this.keep();
  }

  margins(numbers) {
    const top = (numbers[0] || 1) - 1, bottom = Math.min(numbers[1] || this.rows, this.rows) - 1;
    if (top < bottom) { this.top = top; this.bottom = bottom; this.x = 0; this.y = this.origin ? top : 0; }
  }

  erase(what) {
    if (what === 0) this.wipe(this.y, this.x, this.columns); else if (what === 1) this.wipe(this.y, 0, this.x + 1);
    const from = what === 0 ? this.y + 1 : 0, to = what === 1 ? this.y : this.rows;
    for (let y = from; y < to; y += 1) this.wipe(y, 0, this.columns);
  }

  wipe(y, from, to) { for (let x = from; x < Math.min(to, this.columns); x += 1) this.lines[y][x] = this.space(); }

  colour(given) {
    let attr = { ...this.attr };
    for (let place = 0; place < given.length; place += 1) {
      const code = Number(given[place][0]) || 0;
      if (code === 0) attr = { ...PLAIN };
      else if (code === 1) attr.bold = true; else if (code === 2) attr.dim = true; else if (code === 3) attr.italic = true;
      else if (code === 4) attr.under = given[place][1] !== "0"; else if (code === 7) attr.inverse = true;
      else if (code === 8) attr.hidden = true; else if (code === 9) attr.struck = true;
      else if (code === 22) { attr.bold = false; attr.dim = false; } else if (code === 23) attr.italic = false;
      else if (code === 24) attr.under = false; else if (code === 27) attr.inverse = false;
      else if (code === 28) attr.hidden = false; else if (code === 29) attr.struck = false;
      else if (code === 39) attr.fg = null; else if (code === 49) attr.bg = null;
      else if (code >= 30 && code <= 37) attr.fg = code - 30; else if (code >= 40 && code <= 47) attr.bg = code - 40;
      else if (code >= 90 && code <= 97) attr.fg = code - 82; else if (code >= 100 && code <= 107) attr.bg = code - 92;
      else if (code === 38 || code === 48) {
        const apart = given[place].length > 1;
        const rest = apart ? given[place].slice(1) : given.slice(place + 1, place + 5).map((one) => one[0]);
        const [colour, used] = this.chosen(rest, apart);
        if (colour !== null) attr[code === 38 ? "fg" : "bg"] = colour;
        if (!apart) place += used;
      }
    }
    this.attr = Object.freeze(attr);
  }

  chosen(rest, apart) {
    const part = (place) => Math.max(0, Math.min(255, Number(rest[place]) || 0));
    if (rest[0] === "5") return [part(1), 2];
    const from = apart && rest.length > 4 ? 2 : 1;
    if (rest[0] === "2") return [`rgb(${part(from)}, ${part(from + 1)}, ${part(from + 2)})`, 4];
    return [null, 0];
  }

  text() { return this.lines.map((line) => line.map((cell) => cell.text).join("").trimEnd()).join("\n").trimEnd(); }
}

function hue(colour) {
  if (typeof colour === "string") return colour;
  if (colour >= 232) { const grey = 8 + (colour - 232) * 10; return `rgb(${grey}, ${grey}, ${grey})`; }
  const step = (value) => (value ? 55 + value * 40 : 0);
  const place = colour - 16;
  return `rgb(${step(Math.floor(place / 36))}, ${step(Math.floor(place / 6) % 6)}, ${step(place % 6)})`;
}

// One of the sixteen named colours is a class, so that the page's style decides it; any other is set as it is.
function paint(piece, attr, cursor) {
  const [fg, bg] = attr.inverse !== cursor ? [attr.bg, attr.fg] : [attr.fg, attr.bg];
  if (attr.inverse !== cursor) piece.classList.add("turned");
  for (const name of ["bold", "dim", "italic", "under", "hidden", "struck"]) if (attr[name]) piece.classList.add(name);
  if (typeof fg === "number" && fg < 16) piece.classList.add(`fg-${fg}`); else if (fg !== null) piece.style.color = hue(fg);
  if (typeof bg === "number" && bg < 16) piece.classList.add(`bg-${bg}`); else if (bg !== null) piece.style.backgroundColor = hue(bg);
}

function draw(terminal, screen) {
  const drawn = terminal.lines.map((line, y) => {
    const row = document.createElement("div");
    let piece = null, attr = null;
    line.forEach((cell, x) => {
      const cursor = terminal.cursor && x === terminal.x && y === terminal.y;
      if (piece === null || attr !== cell.attr || cursor || piece.dataset.cursor) {
        piece = document.createElement("span");
        attr = cell.attr;
        paint(piece, attr, cursor);
        if (cursor) piece.dataset.cursor = "yes";
        row.append(piece);
      }
      piece.append(cell.text);
    });
    return row;
  });
  screen.replaceChildren(...drawn);
}
