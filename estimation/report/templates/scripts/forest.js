(() => {
  // filters of the forest by family
  const { address, byId, read } = citysync;
  const form = byId("forest-filters");
  if (!form) return;
  form.hidden = false;
  const words = read("says");
  const boxes = [...form.querySelectorAll("input[value]")];
  address.get("without").split(",").forEach((kind) => boxes.filter((box) => box.value === kind).forEach((box) => { box.checked = false; }));
  const rows = [...document.querySelectorAll("#forest tbody tr[data-kind]")];
  const heads = [...document.querySelectorAll("#forest tr[data-family]")];
  function show() {
    const chosen = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let n = 0;
    rows.forEach((row) => {
      row.hidden = !chosen.has(row.dataset.kind);
      n += row.hidden ? 0 : 1;
    });
    heads.forEach((head) => {
      head.hidden = !chosen.has(head.dataset.family);
    });
    byId("forest-said").textContent = `${n} / ${rows.length} ${words.found_rows}`;
  }
  form.addEventListener("change", () => { show(); address.set("without", boxes.filter((box) => !box.checked).map((box) => box.value).join(",")); });
  form.addEventListener("submit", (event) => event.preventDefault());
  show();
})();
