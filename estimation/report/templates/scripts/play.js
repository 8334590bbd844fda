(() => {
  // three things to play with: pairs in step, zones shuffled within provinces, one city in many pairs
  const { byId, element, number, read } = citysync;
  const words = read("says");

  // two simulated cities: one of three pictures is shown
  function inStep() {
    const [slider, pictures] = [byId("in-step-size"), [...document.querySelectorAll("#in-step figure")]];
    if (!slider) return;
    const show = () => {
      pictures.forEach((picture, k) => picture.classList.toggle("off", k !== Number(slider.value)));
      byId("in-step-shown").textContent = slider.getAttribute("data-sizes").split(" ")[Number(slider.value)];
    };
    slider.addEventListener("input", show);
    show();
  }

  // numbers between 0 and 1, the same for each reader (mulberry32)
  let state = 20240101;
  function random() {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  // scores of each city under each first treated year of its province: docs/methods, section 18
  function test(cities) {
    const blocks = new Map();
    cities.forEach(([province], k) => { if (!blocks.has(province)) blocks.set(province, []); blocks.get(province).push(k); });
    const found = [];
    let total = 0;
    blocks.forEach((members) => {
      const periods = cities[members[0]][2];
      const years = periods.reduce((sum, [, n]) => sum + n, 0);
      const labels = [...new Set(members.map((k) => cities[k][1]))];
      const counts = labels.map((label) => members.filter((k) => cities[k][1] === label).length);
      const treated = labels.map((label) => periods.map(([first]) => (label > 0 && first >= label ? 1 : 0)));
      const net = treated.map((path) => { const mean = path.reduce((sum, d, t) => sum + d * periods[t][1], 0) / years; return path.map((d) => d - mean); });
      const over = (rows) => periods.map((_, t) => rows.reduce((sum, row, c) => sum + counts[c] * row[t], 0) / members.length);
      const [meanNet, meanTreated] = [over(net), over(treated)];
      const weights = net.map((row) => row.map((v, t) => (v - meanNet[t]) * periods[t][1]));
      weights.forEach((row, c) => { total += counts[c] * row.reduce((sum, v, t) => sum + v * treated[c][t], 0); });
      const unit = weights.map((row, c) => row.reduce((sum, v, t) => sum + v * (treated[c][t] - meanTreated[t]), 0));
      const mean = periods.map((_, t) => members.reduce((sum, k) => sum + cities[k][2][t][2], 0) / members.length);
      const scores = members.map((k) => weights.map((row) => row.reduce((sum, v, t) => sum + v * (cities[k][2][t][2] - mean[t]), 0)));
      found.push({ members, unit, scores, real: members.map((k) => labels.indexOf(cities[k][1])), isZone: labels.map((label) => label > 0) });
    });
    const of = (drawn) => {
      const estimate = found.reduce((sum, block, b) => sum + drawn[b].reduce((own, c, n) => own + block.scores[n][c], 0), 0) / total;
      let variance = 0;
      found.forEach((block, b) => {
        const own = drawn[b].map((c, n) => (block.scores[n][c] - estimate * block.unit[c]) / total);
        variance += (own.reduce((sum, s) => sum + s * s, 0) + own.reduce((sum, s) => sum + s, 0) ** 2) / 2;
      });
      return { estimate, ratio: estimate / Math.sqrt(variance) };
    };
    return { blocks: found, of };
  }

  function shuffled(list) {
    const mixed = [...list];
    for (let n = mixed.length - 1; n > 0; n -= 1) { const m = Math.floor(random() * (n + 1)); [mixed[n], mixed[m]] = [mixed[m], mixed[n]]; }
    return mixed;
  }

  const BINS = 41;
  const LIMIT = 5.125;
  const MANY = 1000;
  function shuffle() {
    const cities = read("stand_ins");
    const box = byId("shuffle-heap");
    if (!box || !cities || !cities.length) return;
    const { blocks, of } = test(cities);
    const real = of(blocks.map((block) => block.real));
    const squares = [...document.querySelectorAll("#shuffle-map rect[data-k]")];
    let ratios = [];
    function paint(drawn) {
      blocks.forEach((block, b) => block.members.forEach((k, n) => squares[k].setAttribute("class", block.isZone[drawn[b][n]] ? "b1" : "b0")));
    }
    function press(times) {
      let drawn = null;
      for (let n = 0; n < times; n += 1) { drawn = blocks.map((block) => shuffled(block.real)); ratios.push(of(drawn).ratio); }
      paint(drawn);
      draw(of(drawn).estimate);
    }
    function draw(estimate) {
      const isFar = (r) => Math.abs(r) >= Math.abs(real.ratio) * (1 - 1e-9);
      const bins = Array.from({ length: BINS }, () => ({ near: 0, far: 0 }));
      ratios.forEach((r) => { bins[Math.min(BINS - 1, Math.max(0, Math.floor((r + LIMIT) / (2 * LIMIT) * BINS)))][isFar(r) ? "far" : "near"] += 1; });
      const most = Math.max(8, ...bins.map((bin) => bin.near + bin.far));
      const at = (r) => 100 * (Math.min(LIMIT, Math.max(-LIMIT, r)) + LIMIT) / (2 * LIMIT);
      // the bar in which the real ratio lies holds shuffles of both kinds, one on top of the other
      const bar = (kind, b, from, n) => element("svg:rect", { class: kind, x: `${100 * b / BINS}%`, width: `${90 / BINS}%`, y: 150 - 130 * (from + n) / most, height: 130 * n / most });
      const bars = bins.flatMap((bin, b) => [bar("far", b, 0, bin.far), bar("near", b, bin.far, bin.near)]);
      const ticks = [-4, -2, 0, 2, 4].map((r) => element("svg:text", { class: "soft", x: `${at(r)}%`, y: 166, "text-anchor": "middle" }, String(r).replace("-", "−")));
      const line = element("svg:line", { class: "real", x1: `${at(real.ratio)}%`, x2: `${at(real.ratio)}%`, y1: 8, y2: 150 });
      const label = element("svg:text", { class: "label", x: `${at(real.ratio)}%`, dx: real.ratio > 1.5 ? -6 : 6, y: 14, "text-anchor": real.ratio > 1.5 ? "end" : "start" }, words.shuffle_real.replace("{estimate}", number(real.estimate, 3, true)));
      box.replaceChildren(element("svg:svg", { class: "plot", width: "100%", height: 172, role: "img", "aria-label": words.shuffle_title }, ...bars, line, ...ticks, label));
      const far = ratios.filter(isFar).length;
      byId("shuffle-said").textContent = ratios.length ? words.shuffle_said.replace("{n}", ratios.length.toLocaleString("en-US")).replace("{far}", far.toLocaleString("en-US")).replace("{p}", number((far + 1) / (ratios.length + 1), 2)).replace("{estimate}", number(estimate, 3, true)) : words.shuffle_none;
    }
    byId("shuffle-one").addEventListener("click", () => press(1));
    byId("shuffle-many").addEventListener("click", () => press(MANY));
    byId("shuffle-reset").addEventListener("click", () => { ratios = []; paint(blocks.map((block) => block.real)); draw(real.estimate); });
    // a heap to look at before anything is pressed, and on paper; the map keeps the real zones
    press(MANY);
    paint(blocks.map((block) => block.real));
  }

  // cities on a circle: the pairs of one of them
  function oneCity() {
    const box = byId("one-city-picture");
    if (!box) return;
    const slider = byId("one-city-which");
    const n = Number(slider.max) + 1;
    const place = (k, far = 46) => [50 + far * Math.sin(2 * Math.PI * k / n), 50 - far * Math.cos(2 * Math.PI * k / n)];
    const show = () => {
      const chosen = Number(slider.value);
      const [x1, y1] = place(chosen);
      const others = [...Array(n).keys()].filter((k) => k !== chosen);
      const lines = others.map((k) => { const [x2, y2] = place(k); return element("svg:line", { x1, y1, x2, y2 }); });
      const dots = others.map((k) => { const [cx, cy] = place(k); return element("svg:circle", { cx, cy, r: 0.55 }); });
      box.replaceChildren(element("svg:svg", { viewBox: "0 0 100 100", role: "img", "aria-label": words.one_city_said.replace("{n}", n - 1) }, ...lines, ...dots, element("svg:circle", { class: "shocked", cx: x1, cy: y1, r: 2.2 })));
    };
    slider.addEventListener("input", show);
    byId("one-city-said").textContent = words.one_city_said.replace("{n}", (n - 1).toLocaleString("en-US"));
    show();
  }

  document.addEventListener("DOMContentLoaded", () => { inStep(); shuffle(); oneCity(); });
})();
