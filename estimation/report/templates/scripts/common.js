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

  const read = (id) => (byId(id) ? JSON.parse(byId(id).textContent) : null);
  const put = (name, value) => store.set(name, value);

  function load(name) {
    if (!/^(sync|values|city)\/\d{6}$/.test(name)) return Promise.reject(new Error("no such file: " + name));
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
    const link = element("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
  const download = (name, rows) => save(name, csv(rows), "text/csv");

  // a picture of the page as a file of its own: the colours of the page are written into it
  function picture(svg) {
    const copy = svg.cloneNode(true);
    const style = getComputedStyle(root);
    const text = new XMLSerializer().serializeToString(copy).replace(/var\((--[a-z0-9-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
    return text;
  }

  // a drawn chart is one picture to a screen reader: its name stands on it, and its parts lose theirs
  function framed(svg) {
    svg.setAttribute("role", "img");
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
    const [name, keys] = named.dataset.q.split("?");
    const column = target.dataset.c.split(":")[0];
    const query = document.querySelector(`pre[data-query="${CSS.escape(name)}"]`);
    if (!query) return null;
    const where = [...new URLSearchParams(keys)].map(([key, value]) => (value === "" ? `"${key}" is null`
      : /^-?[0-9.]+$/.test(value) ? `try_cast("${key}" as double) = ${value}` : `"${key}" = '${value.replaceAll("'", "''")}'`));
    return `select "${column}" from (\n${query.textContent}\n)${where.length ? "\nwhere " + where.join("\n  and ") : ""}`;
  }

  // headings sort, a box searches
  function tools(box) {
    const table = box.querySelector("table");
    const body = table.tBodies[0];
    const said = element("span", { "aria-live": "polite", class: "of" });
    const input = element("input", { type: "search", "aria-label": (read("says") || {}).search });
    const words = read("says") || {};
    const show = () => {
      const sought = input.value.trim().toLowerCase();
      let n = 0;
      [...body.rows].forEach((row) => { row.hidden = sought !== "" && !row.textContent.toLowerCase().includes(sought); n += row.hidden ? 0 : 1; });
      said.textContent = `${n} / ${body.rows.length} ${words.rows || ""}`;
    };
    input.placeholder = words.search || "";
    input.addEventListener("input", show);
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
  }

  document.addEventListener("DOMContentLoaded", () => {
    const link = byId("language");
    if (link) link.addEventListener("click", () => { link.href = link.getAttribute("href").split("#")[0] + location.hash; });
    const current = document.querySelector("nav [aria-current]");
    const nav = document.querySelector("nav");
    if (current) nav.scrollLeft = current.offsetLeft - nav.offsetLeft - nav.clientWidth / 3;
    document.querySelectorAll(".tools").forEach(tools);
    document.addEventListener("click", (event) => {
      const target = event.target.closest("[data-c]");
      if (!target || event.target.closest("a, button")) return;
      const text = sqlOf(target);
      if (!text) return;
      byId("asked-sql").textContent = text;
      byId("asked").showModal();
    });
    document.querySelectorAll("button.save").forEach((button) => button.addEventListener("click", () => {
      const svg = document.querySelector(`#${CSS.escape(button.dataset.for)} svg`);
      if (svg) save(button.dataset.for + ".svg", picture(svg), "image/svg+xml");
    }));
  });

  return { put, load, read, byId, element, csv, download, number, figures, language, fillSelect, framed, picture, sqlOf };
})();
