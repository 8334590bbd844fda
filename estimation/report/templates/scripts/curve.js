(() => {
  const { byId, element, read, number } = citysync;
  const data = read("curve-data");
  const form = byId("choices");
  if (!data || !form) return;
  const N = data.spec_id.length;
  const WIDTH = 1000;
  const LEFT = 265;
  const TOP = 260;
  const ROW = 15;
  let shown = [];

  // outcomes have different units: the page starts with the two growth series of the measure, where they were estimated
  const FIRST = ["cm_growth_official", "cm_growth_deflated"];

  data.dimensions.forEach((dimension, d) => {
    const narrow = dimension.name === "outcome" && dimension.levels.some((level) => FIRST.includes(level));
    const boxes = dimension.levels.map((level, l) => {
      const id = `c-${d}-${l}`;
      return element("span", { class: "choice" },
        element("input", { type: "checkbox", id, checked: !narrow || FIRST.includes(level), "data-d": d, "data-l": l }), element("label", { for: id }, level));
    });
    const all = element("button", { type: "button", class: "small", "aria-label": `all of ${dimension.label}` }, "all 全选");
    const own = element("fieldset", {}, element("legend", {}, dimension.label), all, ...boxes);
    all.addEventListener("click", () => { own.querySelectorAll("input").forEach((box) => { box.checked = true; }); select(); });
    form.append(own);
  });

  const allowed = () => {
    const sets = data.dimensions.map(() => new Set());
    form.querySelectorAll("input:checked").forEach((box) => sets[box.dataset.d].add(Number(box.dataset.l)));
    return sets;
  };

  function select() {
    const sets = allowed();
    shown = [];
    for (let k = 0; k < N; k += 1) {
      if (data.dimensions.every((dimension, d) => sets[d].has(dimension.of[k]))) shown.push(k);
    }
    draw();
    say();
    const slider = byId("spec-no");
    slider.max = Math.max(shown.length, 1);
    slider.value = Math.min(Number(slider.value), Number(slider.max));
    tell();
  }

  function say() {
    const n = shown.length;
    const share = (test) => (n ? Math.round((100 * shown.filter(test).length) / n) + " %" : "–");
    const middle = n ? data.estimate[shown[Math.floor((n - 1) / 2)]] : null;
    byId("curve-said").textContent = `${n} of ${N} specifications: median ${number(middle)}; ${share((k) => data.estimate[k] > 0)} positive; `
      + `${share((k) => data.p_value[k] !== null && data.p_value[k] < 0.05)} reject zero at 5 % on the default line, `
      + `${share((k) => data.p_conventional[k] !== null && data.p_conventional[k] < 0.05)} on the conventional line (contrast only).`;
  }

  function tell() {
    const at = Number(byId("spec-no").value);
    const k = shown[at - 1];
    byId("spec-shown").textContent = shown.length ? `${at} of ${shown.length}` : "–";
    const mark = byId("curve-mark");
    if (k === undefined) { byId("spec-said").textContent = ""; if (mark) mark.removeAttribute("d"); return; }
    const choices = data.dimensions.map((dimension) => `${dimension.name} ${dimension.levels[dimension.of[k]]}`).join(", ");
    byId("spec-said").textContent = `${data.spec_id[k]}: ${number(data.estimate[k])} (95 % ${number(data.ci_low[k])} to ${number(data.ci_high[k])}, `
      + `p ${number(data.p_value[k])}; conventional p ${number(data.p_conventional[k])}; ${data.n_pilots[k]} pilots). ${choices}.`;
    if (mark) mark.setAttribute("d", `M${x(at - 1)} 0V${mark.dataset.height}`);
  }

  const x = (position) => (LEFT + ((position + 0.5) / Math.max(shown.length, 1)) * (WIDTH - LEFT - 10)).toFixed(1);

  function draw() {
    const used = data.dimensions.map((dimension) => new Set(shown.map((k) => dimension.of[k])));
    const rows = data.dimensions.flatMap((dimension, d) => dimension.levels
      .map((level, l) => ({ d, l, label: `${dimension.name}: ${level}` })).filter(({ l }) => used[d].has(l)));
    const height = TOP + 20 + rows.length * ROW;
    const estimates = shown.map((k) => data.estimate[k]);
    // the axis follows the estimates and most intervals; a few very wide ones leave it
    const ends = shown.flatMap((k) => [data.ci_low[k], data.ci_high[k]]).filter((v) => v !== null).sort((a, b) => a - b);
    const cut = (share) => ends[Math.min(ends.length - 1, Math.floor(share * ends.length))];
    const low = Math.min(0, ...estimates, ...(ends.length ? [cut(0.02)] : []));
    const high = Math.max(0, ...estimates, ...(ends.length ? [cut(0.98)] : []));
    const y = (value) => (10 + ((high - Math.min(Math.max(value, low), high)) / (high - low || 1)) * (TOP - 20)).toFixed(1);
    const both = shown.map((k, i) => (data.ci_low[k] === null ? "" : `M${x(i)} ${y(data.ci_low[k])}V${y(data.ci_high[k])}`)).join("");
    const size = Math.min(3.2, Math.max(1.1, 400 / Math.max(shown.length, 1)));
    const dots = (test) => shown.map((k, i) => (test(k) ? `M${x(i)} ${y(data.estimate[k])}h.01` : "")).join("");
    const rejects = (k) => data.p_value[k] !== null && data.p_value[k] < 0.05;
    const width = Math.max(0.8, ((WIDTH - LEFT) / Math.max(shown.length, 1)) * 0.8).toFixed(2);
    const ticks = [low, 0, high].filter((v, i, all) => all.indexOf(v) === i);
    const text = `Specification curve: ${shown.length} estimates from ${number(estimates[0])} to ${number(estimates.at(-1))}, with the choices of each below.`;
    byId("curve-picture").replaceChildren(element("svg:svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": text, class: "curve" },
      element("svg:path", { class: "zero", d: `M${LEFT} ${y(0)}H${WIDTH - 10}` }),
      element("svg:path", { class: "ci", d: both, "stroke-width": Math.min(3, width) }),
      element("svg:path", { class: "dot", d: dots((k) => !rejects(k)), "stroke-width": 2 * size }),
      element("svg:path", { class: "dot rejects", d: dots(rejects), "stroke-width": 2 * size }),
      ...ticks.map((v) => element("svg:text", { x: LEFT - 8, y: Number(y(v)) + 4, "text-anchor": "end" }, number(v))),
      ...rows.flatMap(({ d, l, label }, r) => {
        const at = TOP + 20 + r * ROW;
        const marks = shown.map((k, i) => (data.dimensions[d].of[k] === l ? `M${x(i)} ${at - 5}v9` : "")).join("");
        const first = r === 0 || rows[r - 1].d !== d ? [element("svg:path", { class: "rule", d: `M0 ${at - 8}H${WIDTH - 10}` })] : [];
        return [...first, element("svg:text", { x: LEFT - 8, y: at + 3, "text-anchor": "end", class: "level" }, label),
          element("svg:path", { class: "mark", d: marks, "stroke-width": width })];
      }),
      element("svg:path", { id: "curve-mark", class: "here", "data-height": height })));
  }

  form.addEventListener("change", select);
  form.addEventListener("submit", (event) => event.preventDefault());
  byId("spec-no").addEventListener("input", tell);
  byId("curve-download").addEventListener("click", () => {
    const figures = ["estimate", "ci_low", "ci_high", "p_value", "low_conventional", "high_conventional", "p_conventional", "n_pairs", "n_pilots"];
    const rows = shown.map((k) => [data.spec_id[k], ...data.dimensions.map((d) => d.levels[d.of[k]]), ...figures.map((name) => data[name][k])]);
    citysync.download("specification_curve_chosen.csv", [["spec_id", ...data.dimensions.map((d) => d.name), ...figures], ...rows]);
  });
  select();
})();
