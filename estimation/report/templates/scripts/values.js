(() => {
  const { address, byId, element, read, figures, number, fillSelect } = citysync;
  const words = read("says");
  const catalog = read("catalog");
  const select = byId("place");
  if (!catalog || !select || !catalog.places.length) return;
  const [first, last] = [byId("first"), byId("last")];
  const table = byId("values-table");
  let place = null;
  let data = null;
  let cells = [];

  // a value: [year, value, raw text or 0, location, cell or 0, state, detail]; state = 2 * flag + is current
  const isCurrent = (v) => v[5] % 2 === 1;
  const flagOf = (v) => catalog.flags[Math.floor(v[5] / 2)];
  const rawOf = (v) => (v[2] === 0 ? (v[1] === null ? "" : String(v[1])) : v[2]);
  const indicatorName = (k) => catalog.indicators[k].name;
  // a growth: [year, official, deflated, basis, source, edition, inputs, source of deflated, its inputs, evidence]; an input: [indicator, place of the value in its list]
  const GROWTH = [
    { id: "growth_official_pct", name: words.official, of: (row) => ({ value: row[1], basis: row[3], source: row[4], edition: row[5], inputs: row[6], evidence: row[9] }) },
    { id: "growth_deflated_pct", name: words.deflated, of: (row) => ({ value: row[2], basis: "deflated", source: row[7], edition: null, inputs: row[8] }) },
  ];
  const PRICES = catalog.indicators.findIndex((one) => one.id === "cpi_prev_year_100");

  function fillPlaces() {
    const isCity = (code) => code % 10000 !== 0 || [110000, 120000, 310000, 500000].includes(code);
    const options = (test) => catalog.places.filter((p) => test(p.id)).map((p) => [p.id, p.name]);
    fillSelect(select, [[words.cities_group, options(isCity)], [words.provinces_group, options((c) => !isCity(c))]], place);
  }

  function years() {
    const found = new Set();
    Object.values(data.values).forEach((list) => list.forEach((v) => found.add(v[0])));
    return [...found].sort((a, b) => a - b);
  }

  function fillYears() {
    const found = years();
    const [from, to] = read("window");
    const wanted = [Number(first.value) || Number(address.get("from")) || from, Number(last.value) || Number(address.get("to")) || to];
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

  // gross domestic product first: it is what most come for; figures of the districts alone last among its own
  const FIRST = ["gdp_nominal_cny_100m", "gdp_growth_official_pct", "gdp_index_prev_year_100", "gdp_real_cny_100m"];
  const isLater = (k) => {
    const { id } = catalog.indicators[k];
    if (FIRST.includes(id)) return FIRST.indexOf(id);
    return !id.startsWith("gdp_") ? FIRST.length + 2 : id.includes("district") ? FIRST.length + 1 : FIRST.length;
  };

  function render() {
    const shown = shownYears();
    const head = element("tr", {}, element("th", { scope: "col" }, words.indicator), ...shown.map((y) => element("th", { scope: "col", class: "n" }, y)));
    const rows = Object.keys(data.values).map(Number).sort((a, b) => isLater(a) - isLater(b) || a - b).map((k) => {
      const byYear = new Map();
      data.values[k].forEach((v) => { if (!byYear.has(v[0])) byYear.set(v[0], []); byYear.get(v[0]).push(v); });
      if (!shown.some((y) => byYear.has(y))) return null;
      return element("tr", {}, rowHead(indicatorName(k), catalog.indicators[k].id, catalog.indicators[k].unit), ...shown.map((y) => valueCell(k, y, byYear.get(y) || [])));
    });
    const growth = GROWTH.filter((g) => data.growth.some((row) => g.of(row).value !== null)).map((g) =>
      element("tr", {}, rowHead(g.name, g.id, words.log_points), ...shown.map((y) => {
        const row = data.growth.find((r) => r[0] === y);
        if (!row || g.of(row).value === null) return element("td", {});
        const text = number(g.of(row).value, 2);
        return element("td", { class: "n" }, button("cell derived", g.id, y, text, `${g.name} ${y}: ${text}`));
      })));
    table.tHead.replaceChildren(head);
    table.tBodies[0].replaceChildren(...growth, ...rows.filter(Boolean));
    cells = [...table.tBodies[0].rows].map((row) => [...row.cells].slice(1).map((cell) => cell.querySelector("button")));
    const any = table.querySelector("button");
    if (any) any.tabIndex = 0;
    const n = Object.values(data.values).reduce((sum, list) => sum + list.length, 0);
    const found = catalog.places.find((p) => p.id === place);
    byId("values-said").textContent = words.values_said.replace("{city}", found.name).replace("{n}", n.toLocaleString("en-US"));
  }

  const rowHead = (text, id, unit) => element("th", { scope: "row", title: id }, text, element("span", { class: "of" }, ` ${unit}`));

  function detail(list) {
    return element("dl", { class: "origin" }, ...list.filter(([, text]) => text !== null && text !== undefined && text !== "").flatMap(([term, text]) => [
      element("dt", {}, term), element("dd", {}, String(text))]));
  }

  const named = (source) => (catalog.sources[source] ? `${catalog.sources[source]} (${source})` : source);
  function originOf(v, k) {
    const [source, edition, file, sheet, unitDelivered] = catalog.locations[v[3]];
    const [flag, rule, flagWord] = flagOf(v);
    return detail([
      [words.value, `${figures(v[1])} ${catalog.indicators[k].unit}`], [words.source, named(source)], [words.edition, edition],
      [words.file, file], [words.sheet, sheet], [words.cell, v[4] === 0 ? null : v[4]],
      [words.as_delivered, `“${rawOf(v)}”${unitDelivered ? " " + unitDelivered : ""}`],
      [words.state, isCurrent(v) ? words.is_current : words.not_used],
      [words.flag, flag === "ok" ? null : rule ? `${flagWord} (${rule})` : flagWord], [words.detail, v[6] === undefined ? null : v[6][citysync.language === "zh" ? 1 : 0]],
    ]);
  }

  // the formula of a growth with the delivered values in it, and the cell of each
  function madeFrom(growth, year) {
    const found = (growth.inputs || []).map(([k, nth]) => [k, data.values[k][nth]]);
    if (found.length && growth.basis === "deflated") found.push([PRICES, data.prices[year]]);
    const formula = found.reduce((text, [, v], nth) => text.replace(`{${"abc"[nth]}}`, figures(v[1])), words["formula_" + growth.basis]);
    return [
      detail([[words.value, `${number(growth.value, 4)} ${words.log_points}`], [words.basis, words["basis_" + growth.basis]], [words.evidence, growth.evidence ? words["evidence_" + growth.evidence] : null],
        [words.computed, found.length ? formula : null], [words.within, named(growth.source)], [words.edition, growth.edition]]),
      element("p", { class: "note" }, found.length ? words.inputs : words.no_inputs),
      element("ul", { class: "plain" }, ...found.map(([k, v]) => element("li", {}, element("b", {}, `${indicatorName(k)}, ${v[0]}`), originOf(v, k)))),
    ];
  }

  function showOrigin(key, year) {
    const found = catalog.places.find((p) => p.id === place);
    const derived = GROWTH.find((g) => g.id === key);
    const title = element("h3", {}, `${found.name}, ${derived ? derived.name : indicatorName(Number(key))}, ${year}`);
    let parts;
    if (derived) {
      parts = madeFrom(derived.of(data.growth.find((r) => r[0] === year)), year);
    } else {
      const all = data.values[Number(key)].filter((v) => v[0] === year);
      const others = all.slice(1).map((v) => {
        const gap = all[0][1] ? v[1] / all[0][1] - 1 : null;
        return element("li", {}, originOf(v, key), gap === null ? null : element("p", { class: "note" }, `${words.gap}: ${number(100 * gap, 3)} %`));
      });
      parts = [originOf(all[0], key), others.length
        ? element("details", { open: others.length < 4 }, element("summary", {}, `${words.others_delivered} (${others.length})`), element("ul", { class: "plain" }, ...others)) : null];
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
      document.documentElement.classList.add("drawn");
      byId("values-said").textContent = error.message;
    });
  }

  // a city none of whose values is here
  function showNothing(code) {
    [place, data] = [code, { values: {}, growth: [], prices: {} }];
    fillPlaces();
    select.value = "";
    [first, last].forEach((box) => box.replaceChildren());
    table.tHead.replaceChildren();
    table.tBodies[0].replaceChildren();
    cells = [];
    byId("values-said").textContent = words.no_values_here;
  }

  function reset() {
    byId("origin").classList.remove("open");
    byId("origin-said").replaceChildren(element("p", { class: "empty" }, words.no_number));
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
  [first, last].forEach((box) => box.addEventListener("change", () => { render(); address.set("from", first.value); address.set("to", last.value); }));
  byId("values-download").addEventListener("click", () => {
    const header = ["place_id", "place", "indicator_id", "year", "value", "unit", "raw_text", "source_id", "edition_year", "file_name", "sheet_name", "cell_ref", "quality_flag", "quality_rule", "is_current"];
    const found = catalog.places.find((p) => p.id === place);
    const rows = Object.entries(data.values).flatMap(([k, list]) => list.map((v) => {
      const [source, edition, file, sheet, , unit] = catalog.locations[v[3]];
      return [place, found.name, catalog.indicators[k].id, v[0], v[1], unit, rawOf(v), source, edition, file, sheet, v[4] === 0 ? null : v[4], ...flagOf(v).slice(0, 2), String(isCurrent(v))];
    }));
    citysync.download(`values_${place}.csv`, [header, ...rows]);
  });

  // the parts above the table are still being drawn: the value stays in sight until they are, or until a reader moves
  function stayAt(cell) {
    const grown = new ResizeObserver(() => cell.scrollIntoView({ block: "center", inline: "center" }));
    grown.observe(document.body);
    ["wheel", "pointerdown", "keydown"].forEach((kind) => window.addEventListener(kind, () => grown.disconnect(), { once: true }));
    setTimeout(() => grown.disconnect(), 5000);
  }

  // the city comes from the map; the place can also be a province
  function show(code, growth) {
    const asked = new URLSearchParams(location.hash.slice(1));
    if (!catalog.places.some((p) => p.id === code)) {
      showNothing(code);
      if (growth) growth(data);
      return;
    }
    choose(code, () => {
      if (growth) growth(data);
      const when = Number(asked.get("year"));
      const derived = GROWTH.find((g) => g.id === asked.get("indicator"));
      const k = derived ? derived.id : catalog.indicators.findIndex((i) => i.id === asked.get("indicator"));
      const isThere = derived ? data.growth.some((row) => row[0] === when && derived.of(row).value !== null) : (data.values[k] || []).some((v) => v[0] === when);
      if (Number(asked.get("city")) !== code || !isThere) return;
      if (!shownYears().includes(when)) { (when < Number(first.value) ? first : last).value = when; render(); }
      const cell = showOrigin(k, when);
      if (cell) stayAt(cell);
    });
  }
  byId("origin-close").addEventListener("click", () => {
    reset();
    const back = table.querySelector("button[tabindex='0']");
    if (back) back.focus();
  });
  document.addEventListener("citysync-city", (event) => {
    reset();
    const asked = Number(new URLSearchParams(location.hash.slice(1)).get("city"));
    const isProvince = asked && asked !== event.detail.id && catalog.places.some((p) => p.id === asked);
    show(isProvince ? asked : event.detail.id, event.detail.growth);
  });
  if (!read("cities").ids.length) show(catalog.places[0].id, null);
})();
