(() => {
  const { byId, element, read, number, language, onLanguage, fillSelect } = citysync;
  const cities = read("cities");
  const sync = read("sync");
  if (!cities || !cities.ids.length) return;

  // 1. batches by year of approval
  const batchYear = byId("batch-year");
  function showBatches() {
    const year = Number(batchYear.value);
    let n = 0;
    document.querySelectorAll("#batch-map circle").forEach((circle) => {
      const batch = cities.batch[circle.dataset.k];
      const admitted = batch !== null && cities.batch_year[batch] <= year;
      n += admitted ? 1 : 0;
      circle.setAttribute("class", admitted ? "b" + batch : "b0");
      circle.setAttribute("r", admitted ? 5 : 3);
    });
    byId("batch-year-shown").textContent = year;
    byId("batch-said").textContent = language() === "zh"
      ? `截至${year}年底：${n}个城市整市获批，共${cities.ids.length}个城市`
      : `By the end of ${year}: ${n} of ${cities.ids.length} cities have a whole-prefecture zone.`;
  }
  if (batchYear) {
    batchYear.addEventListener("input", showBatches);
    onLanguage(showBatches);
  }

  // 2. synchronization of one city with all others
  const select = byId("city");
  if (!select || !sync.years.length) return;
  const measure = byId("measure");
  const year = byId("year");
  const MISSING = -32768;
  // six classes; colour runs from orange to purple, and the point grows with it, so that colour is never alone
  const BREAKS = [-1, 0, 0.5, 0.8, 0.95];
  const measureWords = {
    cm_growth_official: ["synchronization, official growth", "协同，官方增长率"],
    cm_growth_deflated: ["synchronization, deflated growth", "协同，平减增长率"],
  };
  const circles = [...document.querySelectorAll("#sync-map circle")];
  const start = cities.ids.indexOf(330100);
  let chosen = start >= 0 ? start : 0;
  let values = null;

  const name = (k) => (language() === "zh" ? cities.zh[k] : `${cities.en[k]} ${cities.zh[k]}`);
  const classOf = (value) => BREAKS.filter((edge) => value >= edge).length;

  function decode(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Int16Array(bytes.buffer);
  }

  function valueOf(k) {
    const at = (Number(measure.value) * sync.years.length + Number(year.value)) * cities.ids.length + k;
    return values[at] === MISSING ? null : values[at] / 1000;
  }

  function fill() {
    const provinces = new Map();
    cities.ids.forEach((id, k) => {
      const label = language() === "zh" ? cities.province_zh[k] : `${cities.province_en[k]} ${cities.province_zh[k]}`;
      if (!provinces.has(label)) provinces.set(label, []);
      provinces.get(label).push([id, name(k)]);
    });
    fillSelect(select, [...provinces], cities.ids[chosen]);
    const words = sync.measures.map((key, m) => [m, (measureWords[key] || [key, key])[language() === "zh" ? 1 : 0]]);
    fillSelect(measure, [[null, words]], measure.value || 0);
  }

  function partners(table, list) {
    table.tBodies[0].replaceChildren(...list.map(([k, value]) =>
      element("tr", {}, element("th", { scope: "row" }, name(k)), element("td", { class: "n" }, number(value)))));
  }

  function show() {
    if (!values) return;
    const found = [];
    circles.forEach((circle, k) => {
      const value = k === chosen ? null : valueOf(k);
      const own = k === chosen;
      circle.setAttribute("class", own ? "chosen" : value === null ? "none" : "s" + classOf(value));
      circle.setAttribute("r", own ? 8 : value === null ? 2 : 2.5 + 0.7 * classOf(value));
      circle.firstElementChild.textContent = own ? name(k) : `${name(k)}: ${number(value)}`;
      if (value !== null) found.push([k, value]);
    });
    found.sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    partners(byId("most"), found.slice(0, 10));
    partners(byId("least"), found.slice(-10).reverse());
    const shown = sync.years[Number(year.value)];
    byId("year-shown").textContent = shown;
    year.setAttribute("aria-valuetext", shown);
    byId("to-values").href = "city.html#" + cities.ids[chosen];
    const median = found.length ? found[Math.floor(found.length / 2)][1] : null;
    byId("sync-said").textContent = language() === "zh"
      ? `${name(chosen)}，${shown}年：与${found.length}个城市的协同，中位数${number(median)}`
      : found.length
        ? `${name(chosen)} in ${shown}: synchronization with ${found.length} other ${found.length === 1 ? "city" : "cities"}, median ${number(median)}; `
          + `highest with ${name(found[0][0])} (${number(found[0][1])}), lowest with ${name(found.at(-1)[0])} (${number(found.at(-1)[1])}).`
        : `${name(chosen)} has no synchronization in ${shown}: its series has a gap in the study window.`;
  }

  function legend() {
    const edges = [null, ...BREAKS, null];
    const zh = language() === "zh";
    const items = edges.slice(0, -1).map((low, c) => {
      const high = edges[c + 1];
      const text = low === null ? (zh ? `低于 ${high}` : `below ${high}`) : high === null ? (zh ? `${low} 及以上` : `${low} and above`) : `${low} – ${high}`;
      return swatch("s" + c, 2.5 + 0.7 * c, text.replaceAll("-1", "−1"));
    });
    byId("sync-legend").replaceChildren(...items, swatch("chosen", 6, zh ? "所选城市" : "chosen city"), swatch("none", 2, zh ? "无数值" : "no value"));
  }

  function swatch(kind, r, text) {
    const drawn = element("svg:svg", { width: 16, height: 16, "aria-hidden": "true" }, element("svg:circle", { class: kind, cx: 8, cy: 8, r }));
    return element("li", {}, drawn, " " + text);
  }

  function choose(k) {
    chosen = k;
    select.value = cities.ids[k];
    citysync.load("sync/" + cities.ids[k]).then((text) => { values = decode(text); show(); }, (error) => {
      byId("sync-said").textContent = error.message;
    });
  }

  year.max = sync.years.length - 1;
  year.min = 0;
  year.value = sync.years.length - 1;
  select.addEventListener("change", () => choose(cities.ids.indexOf(Number(select.value))));
  measure.addEventListener("change", show);
  year.addEventListener("input", show);
  circles.forEach((circle, k) => circle.addEventListener("click", () => choose(k)));
  byId("sync-download").addEventListener("click", () => {
    const header = ["city_id", "city_name_en", "city_name_zh", "partner_id", "partner_name_en", "partner_name_zh", "year", ...sync.measures];
    const size = cities.ids.length;
    const rows = sync.years.flatMap((when, t) => cities.ids.map((id, k) => [
      cities.ids[chosen], cities.en[chosen], cities.zh[chosen], id, cities.en[k], cities.zh[k], when,
      ...sync.measures.map((_, m) => { const v = values[(m * sync.years.length + t) * size + k]; return v === MISSING ? null : v / 1000; }),
    ])).filter((row) => row[3] !== row[0]);
    citysync.download(`synchronization_${cities.ids[chosen]}.csv`, [header, ...rows]);
  });
  onLanguage(() => { fill(); legend(); show(); });
  const asked = cities.ids.indexOf(Number(location.hash.slice(1)));
  choose(asked >= 0 ? asked : chosen);
})();
