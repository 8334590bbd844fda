(() => {
  // one panel an outcome, one scale for all; drawn by Observable Plot (assets/plot.umd.min.js)
  const { byId, element, read, number } = citysync;
  const data = read("curve-data");
  const box = byId("curve-picture");
  if (!data || !box || !data.spec_id.length) return;
  const words = read("says");
  const FIRST = ["cm_growth_official", "cm_growth_deflated", "cm_hp", "cm_hamilton"];
  const form = byId("curve-choices");
  form.hidden = false;
  const known = data.outcomes.map((outcome) => outcome.id);
  const start = FIRST.some((id) => known.includes(id)) ? FIRST : known.slice(0, 4);
  data.outcomes.forEach((outcome, k) => form.firstElementChild.append(element("span", {},
    element("input", { type: "checkbox", id: `o-${k}`, value: k, checked: start.includes(outcome.id) }), " ", element("label", { for: `o-${k}` }, outcome.name))));
  const rows = data.spec_id.map((id, k) => ({ k, id, outcome: data.outcome[k], y: data.estimate_sd[k], low: data.low_sd[k], high: data.high_sd[k], p: data.p_value[k] }))
    .filter((row) => row.y !== null);
  let chosen = null;

  function say(k) {
    const choices = data.dimensions.map((dimension) => dimension.label + words.chinese_colon + dimension.levels[dimension.of[k]]).join(words.chinese_semicolon);
    const said = {
      outcome: data.outcomes[data.outcome[k]].name, estimate: number(data.estimate_sd[k], 3, true), low: number(data.low_sd[k], 3, true), high: number(data.high_sd[k], 3, true),
      p: number(data.p_value[k]), n: number(data.n_pilots[k], 0), choices, spec: data.spec_id[k],
    };
    byId("curve-said").textContent = words.curve_said.replace(/\{(\w+)\}/g, (_, name) => said[name]);
  }

  function draw() {
    const shown = [...form.querySelectorAll("input:checked")].map((one) => Number(one.value));
    const own = rows.filter((row) => shown.includes(row.outcome));
    const ends = own.flatMap((row) => [row.low, row.high]).filter((v) => v !== null).sort((a, b) => a - b);
    const cut = (share) => ends[Math.min(ends.length - 1, Math.floor(share * ends.length))] || 0;
    const low = Math.min(0, cut(0.02), ...own.map((row) => row.y));
    const high = Math.max(0, cut(0.98), ...own.map((row) => row.y));
    const columns = box.clientWidth > 900 && shown.length > 1 ? 2 : 1;
    const width = Math.floor((box.clientWidth - (columns - 1) * 16) / columns);
    box.style.display = "grid";
    box.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    box.style.gap = "16px";
    box.replaceChildren(...shown.map((k) => panel(k, own.filter((row) => row.outcome === k), [low, high], width)));
  }

  function panel(k, own, domain, width) {
    const outcome = data.outcomes[k];
    own.forEach((row, at) => { row.x = at + 1; });
    const nearest = own.find((row) => row.id === data.headline) || null;
    const scale = nearest ? nearest.y / data.estimate[nearest.k] : null;
    const median = data.medians[outcome.id];
    const joint = data.joint[outcome.id] === undefined ? "" : `${words.chinese_semicolon}${words.joint_p} ${data.joint[outcome.id]}`;
    const rejects = (row) => row.p !== null && row.p < data.level;
    const inside = (v) => Math.min(Math.max(v, domain[0]), domain[1]);
    const marks = [
      Plot.ruleY([0], { stroke: "var(--ink)" }),
      Plot.ruleY(median === undefined ? [] : [median], { stroke: "var(--grey)", strokeDasharray: "5 3" }),
      Plot.ruleX(own.filter((row) => row.low !== null), { x: "x", y1: (row) => inside(row.low), y2: (row) => inside(row.high), stroke: (row) => (rejects(row) ? "var(--vermilion)" : "var(--grey)"), strokeOpacity: 0.45, strokeWidth: 0.8 }),
      Plot.dot(own.filter((row) => row.high > domain[1]), { x: "x", y: domain[1], symbol: "triangle", r: 2, fill: "var(--grey)" }),
      Plot.dot(own.filter((row) => row.low !== null && row.low < domain[0]), { x: "x", y: domain[0], symbol: "triangle", rotate: 180, r: 2, fill: "var(--grey)" }),
      Plot.dot(own, { x: "x", y: "y", r: 2.4, fill: (row) => (rejects(row) ? "var(--vermilion)" : "var(--blue)") }),
      Plot.text(median === undefined ? [] : [median], { x: 1, y: (v) => v, text: (v) => `${words.median}${words.chinese_colon}${number(v, 3, true)}${joint}`, textAnchor: "start", dy: -7, fill: "var(--soft)" }),
    ];
    if (scale !== null) {
      marks.push(Plot.dot([nearest], { x: "x", y: "y", symbol: "diamond", r: 7, stroke: "var(--ink)", fill: "none", strokeWidth: 2 }));
      marks.push(Plot.text([nearest], { x: "x", y: "y", text: () => words.curve_headline, dy: 16, fill: "var(--ink)", fontWeight: 600 }));
      if (data.truth !== null) {
        marks.push(Plot.ruleY([data.truth * scale], { stroke: "var(--green)", strokeWidth: 1.5 }));
        marks.push(Plot.text([data.truth * scale], { x: own.length / 2, y: (v) => v, text: () => words.truth, textAnchor: "middle", dy: -7, fill: "var(--green)", fontWeight: 600 }));
      }
    }
    if (chosen !== null && data.outcome[chosen] === k) marks.push(Plot.dot(own.filter((row) => row.k === chosen), { x: "x", y: "y", r: 6, stroke: "var(--focus)", strokeWidth: 2.5 }));
    marks.push(Plot.dot(own, Plot.pointerX({ x: "x", y: "y", r: 5, stroke: "var(--focus)", strokeWidth: 2 })));
    const picture = Plot.plot({
      width, height: 270, marginLeft: 58, marginBottom: 38, style: { background: "none", color: "var(--ink)", fontFamily: "inherit", fontSize: "12px" },
      ariaLabel: outcome.name, ariaDescription: `${own.length} ${words.n_specs}; ${words.median} ${number(median, 3, true)}`,
      x: { label: words.curve_x, labelAnchor: "center", labelArrow: "none" }, y: { label: words.curve_y, labelAnchor: "center", labelArrow: "none", domain, grid: true, ticks: 6 }, marks,
    });
    citysync.framed(picture);
    picture.addEventListener("click", () => { if (picture.value) choose(picture.value.k); });
    const holder = element("div", { class: "panel", "data-outcome": outcome.id }, element("p", { class: "note" }, element("b", {}, outcome.name), data.simulated ? ` · ${words.simulated}` : ""));
    holder.append(picture);
    return holder;
  }

  function choose(k) {
    chosen = k;
    draw();
    say(k);
  }

  box.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const shown = [...form.querySelectorAll("input:checked")].map((one) => Number(one.value));
    const order = rows.filter((row) => shown.includes(row.outcome)).sort((a, b) => shown.indexOf(a.outcome) - shown.indexOf(b.outcome) || a.y - b.y || a.k - b.k);
    if (!order.length) return;
    const at = order.findIndex((row) => row.k === chosen);
    const next = at < 0 && Number.isFinite(step) ? 0 : at + step;
    choose(order[Math.min(Math.max(next, 0), order.length - 1)].k);
  });
  form.addEventListener("change", draw);
  form.addEventListener("submit", (event) => event.preventDefault());
  let waiting = null;
  window.addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(draw, 150); });
  draw();
})();
