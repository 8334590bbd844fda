"use strict";
// What every page shares: the language switch, loading of a city's file, text as text, and CSV that no spreadsheet takes for a formula.
const citysync = (() => {
  const store = new Map();
  const listeners = [];
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);

  const language = () => (root.dataset.lang === "zh" ? "zh" : "en");
  const remember = (value) => { try { localStorage.setItem("citysync-language", value); } catch (error) { /* storage may be off */ } };
  const recall = () => { try { return localStorage.getItem("citysync-language"); } catch (error) { return null; } };

  function setLanguage(value) {
    root.dataset.lang = value === "zh" ? "zh" : "en";
    const button = byId("language");
    if (button) button.lang = value === "zh" ? "en" : "zh-Hans";
    listeners.forEach((listener) => listener(language()));
  }

  // delivered text enters the page only here and by setAttribute, never as markup
  function element(tag, attributes, ...children) {
    const made = tag.startsWith("svg:") ? document.createElementNS("http" + "://www.w3.org/2000/svg", tag.slice(4)) : document.createElement(tag);
    Object.entries(attributes || {}).forEach(([name, value]) => {
      if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
    });
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  function read(id) {
    const found = byId(id);
    return found ? JSON.parse(found.textContent) : null;
  }

  function put(name, value) { store.set(name, value); }

  function load(name) {
    if (!/^(sync|values)\/\d{6}$/.test(name)) return Promise.reject(new Error("no such file: " + name));
    if (store.has(name)) return Promise.resolve(store.get(name));
    return new Promise((resolve, reject) => {
      const script = element("script", { src: "data/" + name + ".js" });
      script.onload = () => (store.has(name) ? resolve(store.get(name)) : reject(new Error("empty file: " + name)));
      script.onerror = () => reject(new Error("missing file: data/" + name + ".js"));
      document.head.append(script);
    });
  }

  function guard(value) {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    const text = String(value);
    const safe = /^[\s]*[=+\-@＝＋－＠]/.test(text) || /^[\t\r\n]/.test(text) ? "'" + text : text;
    return /[",\r\n]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  }

  const csv = (rows) => "\ufeff" + rows.map((row) => row.map(guard).join(",") + "\r\n").join("");

  function download(name, rows) {
    const link = element("a", { href: URL.createObjectURL(new Blob([csv(rows)], { type: "text/csv" })), download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function number(value, digits = 3) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
  }

  const figures = (value) => (value === null ? "–" : value.toLocaleString("en-US", { maximumSignificantDigits: 7 }).replace("-", "−"));

  // options by group, in the language of the moment
  function fillSelect(select, groups, chosen) {
    select.replaceChildren(...groups.map(([label, options]) => {
      const made = options.map(([value, text]) => element("option", { value, selected: String(value) === String(chosen) }, text));
      return label === null ? made : [element("optgroup", { label }, ...made)];
    }).flat());
  }

  const onLanguage = (listener) => { listeners.push(listener); listener(language()); };

  document.addEventListener("DOMContentLoaded", () => {
    const button = byId("language");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", () => { setLanguage(language() === "zh" ? "en" : "zh"); remember(language()); });
    // on a phone the list of pages is scrolled sideways to the page one is on; scrollIntoView would move the keyboard's starting point too
    const current = document.querySelector("nav [aria-current]");
    const group = current && current.closest(".group");
    if (group) group.scrollLeft = current.offsetLeft - group.offsetLeft - group.clientWidth / 3;
  });
  setLanguage(recall());

  return { put, load, read, byId, element, csv, download, number, figures, language, onLanguage, fillSelect };
})();
