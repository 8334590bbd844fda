(() => {
  // search of clauses by words and tool
  const { byId, read } = citysync;
  const [words, tool, found] = ["words", "tool", "found"].map(byId);
  if (!words) return;
  const says = read("says");
  const MOST_OPENED = 20;
  const classes = ["supply", "environment", "demand"];
  const texts = [...document.querySelectorAll(".document")].map((box) => ({
    box, clauses: [...box.querySelectorAll(".clauses li")].map((row) => ({ row, text: row.textContent.toLowerCase() })),
  }));
  function search() {
    const sought = words.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const kind = tool.value;
    const isSearch = sought.length > 0 || kind !== "";
    let [nClauses, nTexts] = [0, 0];
    texts.forEach((text) => {
      let here = 0;
      text.clauses.forEach(({ row, text: own }) => {
        const fits = (kind === "" || (row.dataset.t || "none") === kind || (classes.includes(kind) && row.classList.contains(kind))) && sought.every((word) => own.includes(word));
        row.hidden = !fits;
        here += fits ? 1 : 0;
      });
      text.box.hidden = isSearch && here === 0;
      if (here > 0) { nClauses += here; nTexts += 1; }
      text.box.open = isSearch && here > 0 && nTexts <= MOST_OPENED;
    });
    found.textContent = isSearch ? says.found.replace("{clauses}", nClauses).replace("{texts}", nTexts) : "";
  }
  let waiting = null;
  words.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, 150); });
  tool.addEventListener("change", search);
  words.form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
  function open() {
    const target = /^#text-\d+$/.test(location.hash) ? byId(location.hash.slice(1)) : null;
    if (target) { target.open = true; target.scrollIntoView(); }
  }
  window.addEventListener("hashchange", open);
  open();
})();
