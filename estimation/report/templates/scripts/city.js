(() => {
  const { byId, element, read, figures, number, language, onLanguage, fillSelect } = citysync;
  const catalog = read("catalog");
  const select = byId("city");
  if (!catalog || !select) return;
  const [first, last] = [byId("first"), byId("last")];
  const table = byId("values-table");
  let place = null;
  let data = null;
  let cells = [];

  // a value: [year, value, raw text or 0, location, cell or 0, state, detail]; state = 2 * flag + is current
  const isCurrent = (v) => v[5] % 2 === 1;
  const flagOf = (v) => catalog.flags[Math.floor(v[5] / 2)];
  const rawOf = (v) => (v[2] === 0 ? (v[1] === null ? "" : String(v[1])) : v[2]);
  const nameOf = (found) => {
    const space = found.name.lastIndexOf(" ");
    return language() === "zh" && space > 0 ? found.name.slice(space + 1) : found.name;
  };
  const indicatorName = (k) => {
    const { id, en, zh } = catalog.indicators[k];
    return language() === "zh" && zh ? zh : en || id;
  };
  const GROWTH = [
    { id: "growth_official_pct", column: 1, en: "Official growth, log points × 100", zh: "官方增长率（对数百分点）", formula: "100 × ln(index / 100) of the published real-GDP index, or the log difference of a real level", source: [3, 4] },
    { id: "growth_deflated_pct", column: 2, en: "Deflated growth, log points × 100", zh: "平减增长率（对数百分点）", formula: "100 × (difference of log nominal GDP − ln(provincial consumer price index / 100))", source: [5, null] },
  ];

  function fillPlaces() {
    const isCity = (code) => code % 10000 !== 0 || [110000, 120000, 310000, 500000].includes(code);
    const options = (test) => catalog.places.filter((p) => test(p.id)).map((p) => [p.id, nameOf(p)]);
    const zh = language() === "zh";
    fillSelect(select, [[zh ? "城市" : "cities", options(isCity)], [zh ? "省份与全国" : "provinces and country", options((c) => !isCity(c))]], place);
  }

  function years() {
    const found = new Set();
    Object.values(data.values).forEach((list) => list.forEach((v) => found.add(v[0])));
    return [...found].sort((a, b) => a - b);
  }

  function fillYears() {
    const found = years();
    const wanted = [Number(first.value) || 2008, Number(last.value) || 2021];
    const near = (year) => found.reduce((best, y) => (Math.abs(y - year) < Math.abs(best - year) ? y : best), found[0]);
    fillSelect(first, [[null, found.map((y) => [y, y])]], near(wanted[0]));
    fillSelect(last, [[null, found.map((y) => [y, y])]], near(wanted[1]));
  }

  function shownYears() {
    const [from, to] = [Number(first.value), Number(last.value)];
    return years().filter((y) => y >= Math.min(from, to) && y <= Math.max(from, to));
  }

  function button(kind, key, year, text, label) {
    return element("button", { type: "button", class: kind, tabindex: -1, "data-key": key, "data-year": year, "aria-label": label }, text);
  }

  function valueCell(k, year, found) {
    if (!found.length) return element("td", {});
    const v = found[0];
    const flag = flagOf(v);
    const mark = flag[0] !== "ok" ? " ▲" : "";
    const kind = isCurrent(v) ? "cell" : "cell unused";
    return element("td", { class: "n" }, button(kind, k, year, figures(v[1]) + mark, `${indicatorName(k)} ${year}: ${figures(v[1])}${mark ? ", " + flag[0] : ""}`));
  }

  function render() {
    const shown = shownYears();
    const head = element("tr", {}, element("th", { scope: "col" }, language() === "zh" ? "指标" : "indicator"), ...shown.map((y) => element("th", { scope: "col", class: "n" }, y)));
    const rows = Object.keys(data.values).map(Number).sort((a, b) => a - b).map((k) => {
      const byYear = new Map();
      data.values[k].forEach((v) => { if (!byYear.has(v[0])) byYear.set(v[0], []); byYear.get(v[0]).push(v); });
      if (!shown.some((y) => byYear.has(y))) return null;
      return element("tr", {}, rowHead(indicatorName(k), catalog.indicators[k].id), ...shown.map((y) => valueCell(k, y, byYear.get(y) || [])));
    });
    const growth = GROWTH.filter((g) => data.growth.some((row) => row[g.column] !== null)).map((g) =>
      element("tr", {}, rowHead(g[language()], g.id), ...shown.map((y) => {
        const row = data.growth.find((r) => r[0] === y);
        return !row || row[g.column] === null ? element("td", {})
          : element("td", { class: "n" }, button("cell derived", g.id, y, number(row[g.column], 2), `${g[language()]} ${y}: ${number(row[g.column], 2)}`));
      })));
    table.tHead.replaceChildren(head);
    table.tBodies[0].replaceChildren(...growth, ...rows.filter(Boolean));
    cells = [...table.tBodies[0].rows].map((row) => [...row.cells].slice(1).map((cell) => cell.querySelector("button")));
    const any = table.querySelector("button");
    if (any) any.tabIndex = 0;
    const n = Object.values(data.values).reduce((sum, list) => sum + list.length, 0);
    const found = catalog.places.find((p) => p.id === place);
    byId("values-said").textContent = language() === "zh" ? `${nameOf(found)}：共${n.toLocaleString("en-US")}个数值` : `${nameOf(found)}: ${n.toLocaleString("en-US")} delivered values.`;
  }

  const rowHead = (text, id) => element("th", { scope: "row" }, text, element("br"), element("code", { class: "of" }, id));

  function detail(list) {
    return element("dl", { class: "origin" }, ...list.filter(([, text]) => text !== null && text !== undefined && text !== "").flatMap(([term, text]) => [
      element("dt", {}, term), element("dd", {}, String(text))]));
  }

  function originOf(v) {
    const [source, edition, file, sheet, unitDelivered, unit] = catalog.locations[v[3]];
    const [flag, rule] = flagOf(v);
    const zh = language() === "zh";
    return detail([
      [zh ? "数值" : "value", `${figures(v[1])} ${unit || ""}`], [zh ? "来源" : "source", source], [zh ? "版本年份" : "edition", edition],
      [zh ? "文件" : "file", file], [zh ? "工作表" : "sheet", sheet], [zh ? "单元格" : "cell", v[4] === 0 ? null : v[4]],
      [zh ? "原始文本" : "as delivered", `“${rawOf(v)}”${unitDelivered ? " " + unitDelivered : ""}`],
      [zh ? "状态" : "state", isCurrent(v) ? (zh ? "采用" : "current") : (zh ? "未采用" : "not used")],
      [zh ? "标记" : "flag", flag === "ok" ? null : rule ? `${flag} (${rule})` : flag], [zh ? "说明" : "why", v[6]],
    ]);
  }

  function showOrigin(key, year) {
    const zh = language() === "zh";
    const found = catalog.places.find((p) => p.id === place);
    const derived = GROWTH.find((g) => g.id === key);
    const title = element("h3", {}, `${nameOf(found)}, ${derived ? derived[language()] : indicatorName(Number(key))}, ${year}`);
    let parts;
    if (derived) {
      const row = data.growth.find((r) => r[0] === year);
      parts = [detail([[zh ? "数值" : "value", number(row[derived.column], 4)], [zh ? "公式" : "computed as", derived.formula],
        [zh ? "取自来源" : "within source", row[derived.source[0]]], [zh ? "版本年份" : "edition", derived.source[1] === null ? null : row[derived.source[1]]]]),
      element("p", { class: "note" }, zh ? "其输入值见下表同一来源的行。" : "Its inputs stand in the rows of this table that come from the same source.")];
    } else {
      const all = data.values[Number(key)].filter((v) => v[0] === year);
      const others = all.slice(1).map((v) => {
        const gap = all[0][1] ? v[1] / all[0][1] - 1 : null;
        return element("li", {}, originOf(v), gap === null ? null : element("p", { class: "note" }, `${zh ? "相对差" : "gap"}: ${number(100 * gap, 3)} %`));
      });
      parts = [originOf(all[0]), others.length
        ? element("details", { open: others.length < 4 }, element("summary", {}, zh ? `其他来源或版本（${others.length}）` : `What else was delivered for it (${others.length})`), element("ul", { class: "plain" }, ...others)) : null];
    }
    byId("origin-said").replaceChildren(title, ...parts.filter(Boolean));
    byId("origin").classList.add("open");
    table.querySelectorAll("[aria-pressed]").forEach((cell) => cell.removeAttribute("aria-pressed"));
    const cell = [...table.querySelectorAll("button")].find((b) => b.dataset.key === String(key) && Number(b.dataset.year) === year);
    if (cell) cell.setAttribute("aria-pressed", "true");
    return cell;
  }

  function move(target, event) {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    let r = cells.findIndex((row) => row.includes(target));
    let c = cells[r].indexOf(target);
    do { r += step[0]; c += step[1]; } while (cells[r] && c >= 0 && c < cells[r].length && !cells[r][c]);
    const next = cells[r] && cells[r][c];
    if (!next) return;
    target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  function choose(code, then) {
    place = code;
    citysync.load("values/" + code).then((found) => { data = found; fillPlaces(); fillYears(); render(); if (then) then(); }, (error) => {
      byId("values-said").textContent = error.message;
    });
  }

  function reset() {
    byId("origin").classList.remove("open");
    byId("origin-said").replaceChildren(element("p", { class: "empty" }, language() === "zh" ? "尚未选择数值" : "No number is chosen yet."));
  }

  table.addEventListener("click", (event) => {
    const target = event.target.closest("button");
    if (!target) return;
    table.querySelectorAll("button[tabindex='0']").forEach((cell) => { cell.tabIndex = -1; });
    target.tabIndex = 0;
    showOrigin(target.dataset.key, Number(target.dataset.year));
  });
  table.addEventListener("keydown", (event) => { const target = event.target.closest("button"); if (target) move(target, event); });
  select.addEventListener("change", () => { reset(); choose(Number(select.value)); });
  [first, last].forEach((box) => box.addEventListener("change", render));
  byId("values-download").addEventListener("click", () => {
    const header = ["place_id", "place", "indicator_id", "year", "value", "unit", "raw_text", "source_id", "edition_year", "file_name", "sheet_name", "cell_ref", "quality_flag", "quality_rule", "is_current"];
    const found = catalog.places.find((p) => p.id === place);
    const rows = Object.entries(data.values).flatMap(([k, list]) => list.map((v) => {
      const [source, edition, file, sheet, , unit] = catalog.locations[v[3]];
      return [place, found.name, catalog.indicators[k].id, v[0], v[1], unit, rawOf(v), source, edition, file, sheet, v[4] === 0 ? null : v[4], ...flagOf(v), String(isCurrent(v))];
    }));
    citysync.download(`values_${place}.csv`, [header, ...rows]);
  });

  function fromAddress() {
    const [code, indicator, year] = decodeURIComponent(location.hash.slice(1)).split("/");
    const known = catalog.places.some((p) => p.id === Number(code));
    const start = catalog.places.some((p) => p.id === 330100) ? 330100 : catalog.places[0].id;
    choose(known ? Number(code) : start, () => {
      const k = catalog.indicators.findIndex((i) => i.id === indicator);
      const when = Number(year);
      if (k < 0 || !(data.values[k] || []).some((v) => v[0] === when)) return;
      if (!shownYears().includes(when)) { (when < Number(first.value) ? first : last).value = when; render(); }
      const cell = showOrigin(k, when);
      if (cell) cell.scrollIntoView({ block: "center", inline: "center" });
    });
  }
  byId("origin-close").addEventListener("click", () => {
    reset();
    const back = table.querySelector("button[tabindex='0']");
    if (back) back.focus();
  });
  window.addEventListener("hashchange", fromAddress);
  onLanguage(() => { if (data) { fillPlaces(); render(); reset(); } });
  fromAddress();
})();
