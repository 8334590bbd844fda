(() => {
  // the tile map, and what is shown of the chosen city: partners, growth, zones and texts
  const { byId, element, read, number, load } = citysync;
  const cities = read("cities");
  const sync = read("sync");
  const statements = read("statements");
  const zones = read("zones");
  const median = read("median");
  const tools = read("tools");
  const words = read("says");
  if (!cities || !cities.ids.length) return;
  const MISSING = -32768;
  const BREAKS = { sync: [-1, 0, 0.5, 0.8, 0.95], change: [-0.2, -0.1, 0, 0.1, 0.2] };
  const squares = [...document.querySelectorAll("#tile-map rect[data-k]")];
  const [select, layer, year, measure, tip] = ["city", "layer", "year", "measure", "tip"].map(byId);
  const title = document.title;
  const hasSync = sync.years.length > 0;
  let chosen = Math.max(cities.ids.indexOf(330100), 0);
  let file = null;
  // a name that fits no city, or several: none is shown until one is chosen
  let isAsked = false;

  const years = layerYears();
  function layerYears() {
    const approvals = cities.admitted.filter((y) => y !== null);
    return { batch: approvals.length ? range(Math.min(...approvals) - 1, Math.max(...approvals)) : [], sync: sync.years };
  }
  function range(a, b) { return Array.from({ length: b - a + 1 }, (_, k) => a + k); }

  function decode(text) {
    return new Int16Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  }
  const value = (numbers, at) => (numbers[at] === MISSING ? null : numbers[at] / 1000);
  const ofYear = (k, when) => value(file.years, (Number(measure.value) * sync.years.length + sync.years.indexOf(when)) * cities.ids.length + k);
  const half = (name, k) => value(file[name], Number(measure.value) * cities.ids.length + k);
  const change = (k) => { const [a, b] = [half("before", k), half("after", k)]; return a === null || b === null ? null : b - a; };
  const classOf = (v, kind) => "d" + BREAKS[kind].filter((edge) => v >= edge).length;

  function fill() {
    const provinces = new Map();
    cities.ids.forEach((id, k) => { const p = cities.provinces[k]; if (!provinces.has(p)) provinces.set(p, []); provinces.get(p).push([id, cities.names[k]]); });
    citysync.fillSelect(select, [...provinces], cities.ids[chosen]);
    byId("city-list").replaceChildren(...cities.ids.map((id, k) => element("option", { value: cities.names[k] }, `${cities.also[k]} ${id}`)));
    citysync.fillSelect(measure, [[null, sync.measures.map((key, m) => [m, words[key] || key])]], 0);
    const layers = [["batch", words.layer_batch]];
    if (hasSync) layers.push(["sync", words.layer_sync], ["change", words.layer_change]);
    if (cities.change.some((v) => v !== null)) layers.push(["all", words.layer_all]);
    measure.parentElement.hidden = !hasSync;
    citysync.fillSelect(layer, [[null, layers]], "batch");
    fillYears();
  }
  function fillYears(wanted) {
    const list = years[layer.value] || [];
    year.hidden = byId("year-label").hidden = byId("year-shown").hidden = !list.length;
    if (!list.length) return;
    [year.min, year.max] = [list[0], list.at(-1)];
    year.value = wanted && list.includes(wanted) ? wanted : list.at(-1);
  }

  // what a square says and which class it has, by layer
  function of(k) {
    const when = Number(year.value);
    if (layer.value === "batch") {
      const at = cities.admitted[k];
      return [at === null || at > when ? "b0" : at === when ? "b2" : "b1", at === null ? words.not_admitted : at];
    }
    if (layer.value === "all") { const v = cities.change[k]; return v === null ? ["none", "–"] : [classOf(v, "change"), number(v, 3, true)]; }
    if (k === chosen || !file) return ["chosen", ""];
    const v = layer.value === "sync" ? ofYear(k, when) : change(k);
    return v === null ? ["none", "–"] : [classOf(v, layer.value), number(v, 3, layer.value === "change")];
  }

  function paint() {
    squares.forEach((square) => {
      const k = Number(square.dataset.k);
      square.setAttribute("class", of(k)[0] + (k === chosen && !isAsked ? " here" : ""));
    });
    byId("year-shown").textContent = year.value;
    const when = Number(year.value);
    const n = cities.admitted.filter((at) => at !== null && at <= when).length;
    byId("map-said").textContent = layer.value === "batch" && !years.batch.length ? words.no_batches
      : layer.value === "batch" ? words.map_said.replace("{n}", n).replace("{of}", cities.ids.length).replace("{year}", when)
      : layer.value === "all" ? counted(words.map_all, cities.change)
      : layer.value === "change" && file ? counted(words.map_change, cities.ids.map((_, k) => (k === chosen ? null : change(k)))).replace("{city}", cities.names[chosen]).replaceAll("{year}", file.split)
      : `${cities.names[chosen]}: ${words["layer_" + layer.value]}${layer.value === "sync" ? ", " + when : ""}`;
    legend();
  }

  // a title that counts the changes above zero
  function counted(title, changes) {
    const known = changes.filter((v) => v !== null);
    return title.replace("{n}", known.filter((v) => v > 0).length).replace("{of}", known.length);
  }

  function legend() {
    const swatch = (kind, text) => element("li", {}, element("svg:svg", { width: 14, height: 14, "aria-hidden": "true" }, element("svg:rect", { class: kind, x: 1, y: 1, width: 12, height: 12 })), " " + text);
    let items;
    if (layer.value === "batch") items = [["b1", words.admitted_before], ["b2", words.admitted_in], ["b0", words.not_yet]];
    else {
      const edges = BREAKS[layer.value === "sync" ? "sync" : "change"];
      items = [null, ...edges].map((low, c) => ["d" + c, (low === null ? `< ${edges[0]}` : c === edges.length ? `≥ ${low}` : `${low} – ${edges[c]}`).replaceAll("-", "−")]);
      items.push(["none", words.no_value]);
    }
    byId("map-legend").replaceChildren(...items.map(([kind, text]) => swatch(kind, text)));
  }

  // the chosen city
  function partners() {
    const box = byId("partners");
    if (!file || !box) return;
    const found = cities.ids.map((_, k) => k).filter((k) => k !== chosen && half("before", k) !== null && half("after", k) !== null);
    const order = found.sort((a, b) => half("after", b) - half("after", a) || a - b);
    const shown = order.length > 20 ? [...order.slice(0, 10), ...order.slice(-10)] : order;
    byId("partners-said").textContent = found.length ? words.partners_said.replace("{n}", found.length).replaceAll("{year}", file.split).replace("{city}", cities.names[chosen]) : words.no_partners.replace("{city}", cities.names[chosen]);
    box.querySelector("thead").replaceChildren(element("tr", {}, ...[words.city, words.before.replace("{year}", file.split), words.after.replace("{year}", file.split), words.change]
      .map((text, c) => element("th", { scope: "col", class: c ? "n" : null }, text))));
    box.querySelector("tbody").replaceChildren(...shown.map((k, at) => element("tr", { class: at === 9 && order.length > 20 ? "cut" : null }, element("th", { scope: "row" }, cities.names[k], element("span", { class: "of" }, " " + cities.provinces[k])),
      element("td", { class: "n" }, number(half("before", k))), element("td", { class: "n" }, number(half("after", k))), element("td", { class: "n" }, number(change(k), 3, true)))));
    dumbbell(shown);
  }

  const style = { background: "none", color: "var(--ink)", fontFamily: "inherit", fontSize: "12px" };
  function dumbbell(shown) {
    const box = byId("partners-picture");
    const rows = shown.map((k) => ({ name: cities.names[k], a: half("before", k), b: half("after", k) }));
    if (!rows.length) { box.replaceChildren(); return; }
    const names = rows.map((row) => row.name);
    const picture = Plot.plot({
      width: Math.min(box.clientWidth || 600, 640), height: 50 + 20 * rows.length, marginLeft: Math.min(170, 34 + Math.max(...names.map((name) => name.length)) * (citysync.language === "zh" ? 12.5 : 7)), marginTop: 28, marginBottom: 38, style,
      ariaLabel: byId("partners-said").textContent, x: { label: words.partners_x, labelAnchor: "center", labelArrow: "none", grid: true }, y: { label: words.city, labelAnchor: "top", domain: names, labelArrow: "none" },
      marks: [Plot.link(rows, { y: "name", x1: "a", x2: "b", stroke: "var(--grey)", strokeWidth: 2 }), Plot.dot(rows, { y: "name", x: "a", fill: "var(--paper)", stroke: "var(--blue)", strokeWidth: 2, r: 4 }),
        Plot.dot(rows, { y: "name", x: "b", fill: "var(--blue)", r: 4.5 })],
    });
    citysync.framed(picture, rows.map((row) => `${row.name}: ${number(row.a)} → ${number(row.b)}`));
    box.replaceChildren(element("ul", { class: "lines" }, element("li", {}, "○ " + words.before.replace("{year}", file.split)), element("li", {}, "● " + words.after.replace("{year}", file.split))), picture);
  }

  const whole = (first, last) => { const step = Math.ceil((last - first + 1) / 8); return range(first, last).filter((year) => year % step === 0); };
  const flags = (read("catalog") || {}).flags || [];
  // flags of the delivered values that a growth is computed from
  const doubts = (found, inputs) => (inputs || []).map(([k, nth]) => flags[Math.floor(found.values[k][nth][5] / 2)]).filter(([flag]) => flag !== "ok").map(([, rule, word]) => (rule ? `${word} (${rule})` : word));
  const percent = (points) => 100 * Math.expm1(points / 100);

  let grown = [];
  function growth(found) {
    document.documentElement.classList.add("drawn");
    const box = byId("growth-picture");
    if (!box) return;
    const lines = found.growth.flatMap((row) => [[row[0], row[1], words.official, row[6]], [row[0], row[2], words.deflated, row[8]]]).filter(([, v]) => v !== null)
      .map(([when, v, name, inputs]) => ({ when, v: percent(v), name, doubts: doubts(found, inputs) }));
    const all = median.filter(([when, v]) => v !== null && lines.some((row) => row.when === when)).map(([when, v]) => ({ when, v: percent(v), name: words.median_all, doubts: [] }));
    byId("growth-download").hidden = !lines.length;
    byId("growth-title").textContent = "";
    byId("growth-basis").replaceChildren(...(statements[chosen].basis ? [stated(statements[chosen].basis, "note")] : []));
    if (!lines.length) { box.replaceChildren(stated(statements[chosen].growth || ["", ""], "empty")); return; }
    grown = found.growth;
    const official = lines.filter((row) => row.name === words.official);
    const last = official.map((row) => [row, all.find((one) => one.when === row.when)]).filter(([, one]) => one).pop();
    if (last) byId("growth-title").textContent = words.growth_title.replace("{city}", cities.names[chosen]).replace("{year}", last[0].when).replace("{own}", number(last[0].v, 1)).replace("{all}", number(last[1].v, 1));
    const colours = { [words.official]: "var(--vermilion)", [words.deflated]: "var(--blue)", [words.median_all]: "var(--soft)" };
    const rows = [...all, ...lines];
    const [first, end] = [Math.min(...rows.map((row) => row.when)), Math.max(...rows.map((row) => row.when))];
    const admitted = [cities.admitted[chosen]].filter((when) => when !== null && when >= first && when <= end);
    const based = grown.filter((row) => row[3] !== null);
    const breaks = based.slice(1).filter((row, k) => row[3] !== based[k][3]).map(([when]) => when - 0.5);
    const width = Math.min(box.clientWidth || 600, 900);
    const picture = Plot.plot({
      width, height: 280, marginLeft: 34, marginBottom: 38, marginTop: 24, style, ariaLabel: `${words.growth}: ${cities.names[chosen]}`,
      x: { label: words.growth_x, labelAnchor: "center", labelArrow: "none", ticks: whole(first, end), tickFormat: "d" }, y: { label: null, grid: true },
      marks: [Plot.ruleY([0], { stroke: "var(--ink)" }), Plot.ruleX(breaks, { stroke: "var(--grey)", strokeDasharray: "1 3" }),
        Plot.ruleX(admitted, { stroke: "var(--ink)" }), Plot.text(admitted, { x: (when) => when, frameAnchor: "top", dy: -14, text: (when) => words.growth_admitted.replace("{year}", when) }),
        Plot.lineY(all, { x: "when", y: "v", stroke: colours[words.median_all], strokeWidth: 2, strokeDasharray: "5 3" }),
        Plot.lineY(lines, { x: "when", y: "v", z: "name", stroke: (row) => colours[row.name], strokeWidth: 2 }),
        Plot.dot(rows, { x: "when", y: "v", fill: (row) => (row.doubts.length ? "var(--paper)" : colours[row.name]), stroke: (row) => colours[row.name], r: (row) => (row.doubts.length ? 4.5 : 2.5) })],
    });
    citysync.framed(picture, rows.map((row) => [`${row.name}, ${row.when}: ${number(row.v, 1)} %`, ...row.doubts].join("; ")));
    const names = Object.keys(colours).filter((name) => rows.some((row) => row.name === name));
    const signs = [[breaks.length, "┊ " + words.growth_break], [lines.some((row) => row.doubts.length), "○ " + words.growth_flagged]].filter(([is]) => is);
    box.replaceChildren(element("p", { class: "note" }, words.growth_y.replace("{first}", first).replace("{last}", end)),
      element("ul", { class: "lines" }, ...names.map((name) => element("li", { style: `color: ${colours[name]}` }, name)), ...signs.map(([, text]) => element("li", { class: "of" }, text))), picture);
  }

  // a sentence of `city_statements.py`, with what it states
  const stated = ([kind, text], look = null) => element("p", { class: look, "data-states": kind }, text);

  // the years of the main test: those without growth are empty
  function strip() {
    const years = statements[chosen].strip;
    if (!years.length) return [];
    return [element("ol", { class: "strip", "aria-label": words.strip }, ...years.map(([when, isKnown]) => element("li", { class: isKnown ? "known" : "missing", title: isKnown ? words.strip_known : words.strip_missing }, when)))];
  }

  function zone() {
    const id = cities.ids[chosen];
    const own = zones[id] || [];
    const halves = [cities.first_half[chosen], cities.second_half[chosen]];
    const further = [
      halves.includes(null) ? "" : words.said_halves.replace("{first}", number(halves[0], 2)).replace("{second}", number(halves[1], 2)),
      own.length ? words.said_alone.replace("{finding}", read("finding")) : "",
    ].filter(Boolean);
    byId("city-said").replaceChildren(...statements[chosen].said.map((one) => stated(one)), ...strip(), ...further.map((text) => element("p", {}, text)));
    const list = tools[id] || [];
    const areOfOthers = list.length > 0 && !own.some((z) => z.texts.length) && list.every(([, , by]) => Object.keys(by).every((level) => ["nation", "province"].includes(level)));
    byId("zone-said").replaceChildren(...(own.length ? own.map((z) => element("div", {}, element("p", {}, z.text),
      ...(z.texts.length ? [element("ul", {}, ...z.texts.map(([name, n]) => element("li", {}, element("a", { href: `policy.html#text-${n}` }, name))))] : areOfOthers ? [] : [element("p", { class: "note" }, words.no_texts)])))
      : [stated(statements[chosen].said[0], "empty")]));
    byId("tools-said").replaceChildren(...(areOfOthers ? [element("p", { class: "note" }, words.tools_of_others)] : []), list.length ? element("ul", { class: "tools-list" }, ...list.map(([kind, name, by]) => element("li", {}, element("b", { class: "tag " + kind }, name), ...Object.entries(by).map(([level, n]) =>
      element("span", { class: "from " + level }, ` ${words["from_" + level]}${citysync.language === "zh" ? "：" : ": "}${n}`))))) : element("p", { class: "empty" }, own.length ? words.no_tools : words.no_texts_without));
  }

  // the address holds what is chosen: city, layer, year, series, and, for a link to a part, where
  function remember(at) {
    const now = new URLSearchParams(location.hash.slice(1));
    const set = (name, text) => (text === null ? now.delete(name) : now.set(name, text));
    // the newest year of approval is what an address without one opens; `year` of a value is its own
    const isOlder = layer.value === "batch" && Number(year.value) !== years.batch.at(-1) && !now.has("indicator");
    set("city", isAsked ? null : cities.ids[chosen]);
    set("layer", layer.value === "batch" && !isOlder ? null : layer.value);
    set("year", layer.value === "sync" || isOlder ? year.value : now.has("indicator") ? now.get("year") : null);
    set("series", measure.value && measure.value !== "0" ? measure.value : null);
    set("at", at || null);
    history.replaceState(null, "", "#" + now);
  }

  // a whole name or code opens a city; a part of one offers those that have it
  function find(text) {
    const sought = text.trim().toLowerCase();
    const said = byId("find-said");
    said.replaceChildren();
    if (!sought) return;
    const called = cities.ids.map((id, k) => [String(id), cities.names[k].toLowerCase(), cities.also[k].toLowerCase(), ...(zones[id] || []).flatMap((z) => z.names)]);
    const fits = (test) => cities.ids.map((_, k) => k).filter((k) => called[k].some(test));
    const exact = fits((own) => own === sought || own === sought + "市" || own === sought + "地区");
    if (exact.length === 1) { choose(exact[0]); return; }
    ask();
    const near = [...new Set([...exact, ...fits((own) => own.startsWith(sought)), ...fits((own) => own.includes(sought))])];
    if (!near.length) { said.textContent = words.not_found.replace("{text}", text); return; }
    said.append(words.which_city + " ", ...near.slice(0, 12).map((k) => {
      const button = element("button", { type: "button" }, cities.names[k]);
      button.addEventListener("click", () => { byId("find").value = cities.names[k]; said.replaceChildren(); choose(k); });
      return button;
    }));
  }

  function show(is) {
    isAsked = !is;
    document.querySelectorAll(".of-city").forEach((part) => { part.hidden = isAsked; });
  }

  function ask() {
    show(false);
    select.value = "";
    document.title = title;
    paint();
  }

  function choose(k, keep) {
    show(true);
    chosen = k;
    select.value = cities.ids[k];
    byId("city-name").textContent = `${cities.names[k]} · ${cities.provinces[k]}`;
    document.title = `${cities.names[k]} · citysync`;
    // on a phone the map is wider than its frame
    const [frame, square] = [byId("tile-map").parentElement, squares[k]].map((one) => one.getBoundingClientRect());
    byId("tile-map").parentElement.scrollLeft += square.x - frame.x - frame.width / 2;
    if (!keep) remember();
    zone();
    // without a delivered value no file of the city calls it
    if (!byId("place")) growth({ growth: [] });
    document.dispatchEvent(new CustomEvent("citysync-city", { detail: { id: cities.ids[k], growth } }));
    if (!hasSync) { paint(); return; }
    load("sync/" + cities.ids[k]).then((found) => {
      if (cities.ids[k] !== cities.ids[chosen]) return;
      file = { split: found.split, years: decode(found.years), before: decode(found.before), after: decode(found.after) };
      paint();
      partners();
    }, (error) => { byId("map-said").textContent = error.message; });
  }

  function fromAddress() {
    const asked = new URLSearchParams(location.hash.slice(1));
    const k = cities.ids.indexOf(Number(asked.get("city")));
    const when = Number(asked.get("year"));
    const wanted = asked.get("layer") || (asked.has("year") && !asked.has("indicator") ? "sync" : null);
    if (wanted && [...layer.options].some((one) => one.value === wanted)) { layer.value = wanted; fillYears(when); }
    if (asked.has("series") && [...measure.options].some((one) => one.value === asked.get("series"))) measure.value = asked.get("series");
    if (k >= 0 || !isAsked) choose(k >= 0 ? k : chosen, true);
    const sought = new URLSearchParams(location.search).get("find");
    if (sought && k < 0) { byId("find").value = sought; find(sought); }
    const at = asked.get("at") && byId(asked.get("at"));
    if (at) at.scrollIntoView();
  }

  squares.forEach((square) => {
    const k = Number(square.dataset.k);
    square.addEventListener("click", () => choose(k));
    square.addEventListener("pointermove", (event) => {
      const said = of(k)[1];
      tip.replaceChildren(element("b", {}, cities.names[k]), ` · ${cities.provinces[k]}`, element("br", {}), String(said));
      tip.hidden = false;
      const box = byId("tile-map").closest(".map-frame").getBoundingClientRect();
      tip.style.left = Math.min(event.clientX - box.left + 12, box.width - 160) + "px";
      tip.style.top = event.clientY - box.top + 14 + "px";
    });
    square.addEventListener("pointerleave", () => { tip.hidden = true; });
  });
  let size = 100;
  const zoom = (factor) => { size = Math.min(400, Math.max(100, size * factor)); byId("tile-map").style.width = size + "%"; };
  byId("zoom-in").addEventListener("click", () => zoom(1.5));
  byId("zoom-out").addEventListener("click", () => zoom(1 / 1.5));
  select.addEventListener("change", () => choose(cities.ids.indexOf(Number(select.value))));
  layer.addEventListener("change", () => { fillYears(); paint(); remember(); });
  year.addEventListener("input", () => { paint(); remember(); });
  measure.addEventListener("change", () => { paint(); partners(); remember(); });
  byId("find").addEventListener("change", () => find(byId("find").value));
  document.querySelectorAll("main .links a[href^='#']").forEach((link) => link.addEventListener("click", (event) => { event.preventDefault(); remember(link.getAttribute("href").slice(1)); fromAddress(); }));
  byId("partners-download").addEventListener("click", () => {
    const header = ["city_id", "city", "partner_id", "partner", "split_year", ...sync.measures.flatMap((m) => [`before_${m}`, `after_${m}`])];
    const n = cities.ids.length;
    const rows = cities.ids.map((id, k) => [cities.ids[chosen], cities.names[chosen], id, cities.names[k], file.split, ...sync.measures.flatMap((_, m) => ["before", "after"].map((name) => value(file[name], m * n + k)))]);
    citysync.download(`partners_${cities.ids[chosen]}.csv`, [header, ...rows.filter((row) => row[2] !== row[0])]);
  });
  byId("growth-download").addEventListener("click", () => {
    const rows = grown.map(([when, official, deflated]) => [cities.ids[chosen], cities.names[chosen], when, official, deflated, (median.find(([w]) => w === when) || [])[1]]);
    citysync.download(`growth_${cities.ids[chosen]}.csv`, [["city_id", "city", "year", "growth_official_pct", "growth_deflated_pct", "median_growth_official_pct"], ...rows]);
  });
  window.addEventListener("hashchange", fromAddress);
  fill();
  document.addEventListener("DOMContentLoaded", fromAddress);
})();
