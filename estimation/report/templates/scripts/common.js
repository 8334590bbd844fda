"use strict";
// What every page shares: loading of a city's file, text as text, CSV that no spreadsheet takes for a formula, SQL of a number, tables.
const citysync = (() => {
  const store = new Map();
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const language = root.dataset.lang === "zh" ? "zh" : "en";
  const up = language === "zh" ? "../" : "";

  // delivered text enters the page only here and by setAttribute, never as markup
  function element(tag, attributes, ...children) {
    const made = tag.startsWith("svg:") ? document.createElementNS("http" + "://www.w3.org/2000/svg", tag.slice(4)) : document.createElement(tag);
    Object.entries(attributes || {}).forEach(([name, value]) => {
      if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
    });
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  // what the address holds: `#part`, or `#name=text&at=part`
  const address = {
    all() {
      const text = location.hash.slice(1);
      return new URLSearchParams(text && !text.includes("=") ? { at: decodeURIComponent(text) } : text);
    },
    get: (name) => address.all().get(name) || "",
    set(name, text) {
      const now = address.all();
      if (text) now.set(name, text); else now.delete(name);
      history.replaceState(null, "", "#" + ([...now.keys()].join() === "at" ? now.get("at") : now));
    },
  };

  const put = (name, value) => store.set(name, value);
  const read = (name) => (store.get("page") || {})[name] ?? null;

  function load(name) {
    if (!/^(sync|values)\/\d{6}$/.test(name)) return Promise.reject(new Error("no such file: " + name));
    if (store.has(name)) return Promise.resolve(store.get(name));
    return new Promise((resolve, reject) => {
      const script = element("script", { src: up + "data/" + name + ".js" });
      script.onload = () => (store.has(name) ? resolve(store.get(name)) : reject(new Error("empty file: " + name)));
      script.onerror = () => reject(new Error("missing file: data/" + name + ".js"));
      document.head.append(script);
    });
  }

  function guard(value) {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    const text = String(value);
    const formula = /^([\s\x00-\x1f\ufeff]*[=+\-@＝＋－＠]|[\t\r\n])/.test(text);
    const number = /^[+-][0-9,]*\.?[0-9]+(e[+-]?[0-9]+)?[*†]*$/i.test(text);
    const safe = formula && !number ? "'" + text : text;
    return /[",\r\n]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  }
  const csv = (rows) => "\ufeff" + rows.map((row) => row.map(guard).join(",") + "\r\n").join("");

  function save(name, text, type) {
    const link = element("a", { href: URL.createObjectURL(text instanceof Blob ? text : new Blob([text], { type })), download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
  const download = (name, rows) => save(name, csv(rows), "text/csv");

  // a picture as a file of its own: title, legend, source and run around it, the styles of the page written into it
  const STYLES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "opacity", "font-size", "font-weight", "font-family", "text-anchor", "display"];
  function styled(svg, width, y) {
    const copy = svg.cloneNode(true);
    const [from, to] = [[svg, ...svg.querySelectorAll("*")], [copy, ...copy.querySelectorAll("*")]];
    from.forEach((node, k) => { const style = getComputedStyle(node); to[k].setAttribute("style", STYLES.map((name) => `${name}:${style.getPropertyValue(name)}`).join(";")); });
    const box = svg.getBoundingClientRect();
    const height = width * box.height / box.width;
    Object.entries({ x: 0, y, width, height }).forEach(([name, value]) => copy.setAttribute(name, value));
    return [copy, height];
  }

  function standing(figure) {
    const style = getComputedStyle(root);
    const svg = figure.querySelector(".picture svg, [id$=picture] svg, .map-frame svg");
    const width = Math.round(svg.getBoundingClientRect().width);
    const text = (x, y, words, more = {}) => element("svg:text", { x, y, fill: style.getPropertyValue("--ink"), "font-family": "sans-serif", "font-size": 12, ...more }, words);
    const parts = [];
    let y = 0;
    const lines = (words, more) => {
      let line = "";
      const per = width / ((more["font-size"] || 12) * (language === "zh" ? 1 : 0.56));
      [...words.split(language === "zh" ? "" : " "), null].forEach((word) => {
        const longer = line + (line && language !== "zh" ? " " : "") + (word ?? "");
        if (word === null || longer.length > per) { y += 17; parts.push(text(0, y, line, more)); line = word ?? ""; } else line = longer;
      });
    };
    const caption = figure.querySelector("figcaption");
    const place = byId("city-name");
    const title = (caption ? caption.textContent : figure.closest("section").querySelector("h2, h3").textContent).trim();
    lines(place && place.textContent && !title.includes(place.textContent) ? `${title} (${place.textContent})` : title, { "font-size": 14, "font-weight": 700 });
    figure.querySelectorAll(".subtitle").forEach((subtitle) => lines(subtitle.textContent, { "font-size": 12, fill: style.getPropertyValue("--soft") }));
    if (document.querySelector(".banner")) lines(document.querySelector(".banner b").textContent, { fill: style.getPropertyValue("--vermilion"), "font-weight": 700 });
    let x = 0;
    figure.querySelectorAll("ul li").forEach((item) => {
      const words = item.textContent.trim();
      const [sign] = item.querySelector("svg") ? styled(item.querySelector("svg"), item.querySelector("svg").getBoundingClientRect().width, y + 8) : [null];
      if (x + 30 + words.length * 7 > width) { x = 0; y += 18; }
      if (sign) { sign.setAttribute("x", x); sign.setAttribute("y", y + 8); parts.push(sign); }
      parts.push(text(x + 38, y + 19, words));
      x += 60 + words.length * (language === "zh" ? 12 : 6.5);
    });
    y += x ? 28 : 8;
    const [copy, height] = styled(svg, width, y);
    parts.push(copy);
    y += height;
    const source = figure.querySelector(".foot .whence");
    lines([source ? source.textContent : "", byId("run").textContent].join(" "), { "font-size": 11, fill: style.getPropertyValue("--soft") });
    const made = element("svg:svg", { width, height: y + 10, viewBox: `0 0 ${width} ${y + 10}` }, element("svg:rect", { width, height: y + 10, fill: style.getPropertyValue("--paper") }), ...parts);
    return { width, height: y + 10, text: new XMLSerializer().serializeToString(made) };
  }

  function savePicture(id, kind) {
    const made = standing(byId(id));
    if (kind === "svg") { save(id + ".svg", made.text, "image/svg+xml"); return; }
    const image = new Image();
    image.onload = () => {
      const canvas = element("canvas", { width: 2 * made.width, height: Math.ceil(2 * made.height) });
      const pen = canvas.getContext("2d");
      pen.scale(2, 2);
      pen.drawImage(image, 0, 0, made.width, made.height);
      canvas.toBlob((blob) => save(id + ".png", blob, "image/png"));
    };
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(made.text);
  }

  // values of a picture: the mark nearest the mouse or finger, or the next one by the arrow keys
  function readable(box) {
    const marks = () => [...box.querySelectorAll(".mark")];
    const show = (mark) => {
      box.querySelectorAll(".here").forEach((other) => other.classList.remove("here"));
      if (mark) mark.classList.add("here");
      box.parentElement.querySelector(".value").textContent = mark ? mark.dataset.said : "";
    };
    const far = (mark, event) => { const dot = (mark.querySelector("circle") || mark).getBoundingClientRect(); return Math.hypot(dot.x + dot.width / 2 - event.clientX, dot.y + dot.height / 2 - event.clientY); };
    box.addEventListener("pointermove", (event) => show(marks().map((mark) => [far(mark, event), mark]).sort(([a], [b]) => a - b).map(([, mark]) => mark)[0]));
    box.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const all = marks();
      if (!step || !all.length) return;
      event.preventDefault();
      const at = all.findIndex((mark) => mark.classList.contains("here"));
      show(all[at < 0 ? 0 : (at + step + all.length) % all.length]);
    });
  }

  // a drawn chart is one picture to a screen reader: its name stands on it, and its parts lose theirs; its last dots say their values
  function framed(svg, said = []) {
    svg.setAttribute("role", "img");
    const dots = [...svg.querySelectorAll("[aria-label=dot]")].at(-1);
    if (dots) [...dots.querySelectorAll("circle")].slice(0, said.length).forEach((dot, k) => { dot.classList.add("mark"); dot.dataset.said = said[k]; });
    svg.querySelectorAll("[aria-label]").forEach((part) => { part.dataset.part = part.getAttribute("aria-label"); part.removeAttribute("aria-label"); });
    return svg;
  }

  function number(value, digits = 3, sign = false) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    const text = value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
    return sign && value >= 0 ? "+" + text : text;
  }
  const figures = (value) => (value === null ? "–" : value.toLocaleString("en-US", { maximumSignificantDigits: 7 }).replace("-", "−"));

  function fillSelect(select, groups, chosen) {
    select.replaceChildren(...groups.map(([label, options]) => {
      const made = options.map(([value, text]) => element("option", { value, selected: String(value) === String(chosen) }, text));
      return label === null ? made : [element("optgroup", { label }, ...made)];
    }).flat());
  }

  // the query of a number, with the keys of its row
  function sqlOf(target) {
    const named = target.closest("[data-q]");
    if (!named) return null;
    const [name, keys] = `${named.dataset.q}&${target.dataset.k || ""}`.split("?");
    const column = target.dataset.c.split(":")[0];
    const query = document.querySelector(`pre[data-query="${CSS.escape(name)}"]`);
    if (!query) return null;
    const where = [...new URLSearchParams(keys)].map(([key, value]) => (value === "" ? `"${key}" is null`
      : /^-?[0-9.]+$/.test(value) ? `try_cast("${key}" as double) = ${value}` : `"${key}" = '${value.replaceAll("'", "''")}'`));
    return `select "${column}" from (\n${query.textContent}\n)${where.length ? "\nwhere " + where.join("\n  and ") : ""}`;
  }

  // headings sort, a box searches
  function tools(box, nth) {
    const name = `find${nth + 1}`;
    const table = box.querySelector("table");
    const body = table.tBodies[0];
    const said = element("span", { "aria-live": "polite", class: "of" });
    const input = element("input", { type: "search", "aria-label": (read("says") || {}).search });
    const words = read("says") || {};
    const show = () => {
      const sought = input.value.trim().toLowerCase();
      let n = 0;
      [...body.rows].forEach((row) => { row.hidden = sought !== "" && !row.textContent.toLowerCase().includes(sought); n += row.hidden ? 0 : 1; });
      said.textContent = `${n} / ${body.rows.length} ${words.found_rows || ""}`;
    };
    input.placeholder = words.search || "";
    input.value = address.get(name);
    input.addEventListener("input", () => { show(); address.set(name, input.value.trim()); });
    box.prepend(element("div", { class: "controls" }, input, said));
    const value = (row, k) => {
      const text = row.cells[k].textContent.trim().replaceAll("−", "-").replace(/[,%\s]|<|†/g, "");
      return text !== "" && Number.isFinite(Number(text)) ? Number(text) : row.cells[k].textContent.trim();
    };
    [...table.tHead.rows[0].cells].forEach((head, k) => {
      const button = element("button", { type: "button" }, ...head.childNodes);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        [...table.tHead.rows[0].cells].forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const sorted = [...body.rows].map((row, at) => [value(row, k), at, row]).sort(([a, i], [b, j]) => {
          const order = typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
          return (down ? -order : order) || i - j;
        });
        body.append(...sorted.map(([, , row]) => row));
      });
    });
    show();
    if (!input.value) return;
    if (box.closest("details")) box.closest("details").open = true;
    if (!address.get("at")) box.scrollIntoView();
  }

  document.addEventListener("DOMContentLoaded", () => {
    const link = byId("language");
    if (link) link.addEventListener("click", () => { link.href = link.getAttribute("href").split("#")[0] + location.hash; });
    const current = document.querySelector("nav [aria-current]");
    const nav = document.querySelector("nav");
    if (current) nav.scrollLeft = current.offsetLeft - nav.clientWidth / 3;
    document.querySelectorAll(".tools").forEach(tools);
    // a link to a part keeps what is searched and filtered
    document.querySelectorAll(".foot .links a[href^='#']").forEach((part) => part.addEventListener("click", (event) => {
      if (!location.hash.includes("=")) return;
      event.preventDefault();
      address.set("at", part.getAttribute("href").slice(1));
      byId(address.get("at")).scrollIntoView();
    }));
    const at = location.hash.includes("=") && byId(address.get("at"));
    if (at) at.scrollIntoView();
    // on a phone a row is a card, and each number stands under the heading of its column
    document.querySelectorAll("table.forest, table.claims").forEach((table) => {
      const heads = [...table.tHead.rows[0].cells].map((head) => head.textContent);
      table.querySelectorAll("tbody td").forEach((cell) => { cell.dataset.label = heads[cell.cellIndex]; });
    });
    root.classList.add("ready");
    const ask = (event) => {
      const target = event.target.closest("[data-c]");
      if (!target || event.target.closest("a, button")) return;
      const text = sqlOf(target);
      if (!text) return;
      byId("asked-sql").textContent = text;
      byId("asked-code").replaceChildren(byId("code-" + target.closest("[data-q]").dataset.q.split("?")[0]).cloneNode(true));
      byId("asked-code").firstChild.removeAttribute("id");
      const dialog = byId("asked");
      dialog.addEventListener("close", () => { if (event.type === "keydown") target.focus(); }, { once: true });
      dialog.showModal();
    };
    document.addEventListener("click", ask);
    // numbers in sentences are stops of the keyboard; a cell of a table is reached by Tab from its row's first number
    document.querySelectorAll(".num[data-c]:not(a .num), tr[data-q] > td[data-c]:not(td[data-c] ~ td[data-c])").forEach((found) => { found.tabIndex = 0; });
    document.addEventListener("keydown", (event) => {
      const target = event.target.closest("[data-c]");
      if (!target) return;
      if (event.key === "Enter") ask(event);
      const row = target.closest("tr");
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!row || !step) return;
      const cells = [...row.querySelectorAll("[data-c]")];
      const next = cells[cells.indexOf(target) + step];
      if (next) { event.preventDefault(); next.tabIndex = 0; next.focus(); }
    });
    document.querySelectorAll("button.save").forEach((button) => button.addEventListener("click", () => savePicture(button.dataset.for, button.dataset.kind)));
    document.querySelectorAll("button.copy").forEach((button) => button.addEventListener("click", () => {
      const range = document.createRange();
      range.selectNodeContents(byId(button.dataset.for));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      document.execCommand("copy");
    }));
    document.querySelectorAll(".picture").forEach(readable);
  });

  return { address, put, load, read, byId, element, csv, download, number, figures, language, fillSelect, framed, sqlOf, standing };
})();
