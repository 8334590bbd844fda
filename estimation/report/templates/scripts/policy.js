(() => {
  // texts are set when they are opened; search of clauses by words and tool
  const { address, byId, element, read } = citysync;
  const [words, tool, found] = ["words", "tool", "found"].map(byId);
  if (!words) return;
  const [says, tools] = [read("says"), read("tools")];
  const MOST_OPENED = 20;
  const texts = read("texts").map((text, k) => ({ ...text, box: byId(`text-${k + 1}`), plain: text.clauses.map(([pieces]) => pieces.join("").toLowerCase()) }));
  let fits = () => true;

  function clause([pieces, name, heading]) {
    const [kind, label] = tools[name] || ["", ""];
    return element("li", { class: `${kind} ${heading ? "heading" : ""}` }, label ? element("span", { class: "tag " + kind }, label) : null,
      ...pieces.map((piece, k) => (k % 2 ? element("mark", {}, piece) : piece)));
  }
  function fill(text) {
    if (!text.box.open) return;
    if (!text.list) {
      text.list = text.clauses.map(clause);
      text.box.append(element("dl", { class: "about" }, ...text.about.map(([term, said]) => element("div", {}, element("dt", {}, term), element("dd", {}, said)))),
        element("ol", { class: "clauses", lang: "zh" }, ...text.list));
    }
    text.list.forEach((row, k) => { row.hidden = !fits(text, k); });
  }
  function search() {
    address.set("words", words.value.trim());
    address.set("tool", tool.value);
    const sought = words.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const kind = tool.value;
    const isSearch = sought.length > 0 || kind !== "";
    fits = (text, k) => {
      const name = text.clauses[k][1];
      return ["", name || "none", (tools[name] || [])[0]].includes(kind) && sought.every((word) => text.plain[k].includes(word));
    };
    let [nClauses, nTexts] = [0, 0];
    texts.forEach((text) => {
      const here = text.clauses.filter((_, k) => fits(text, k)).length;
      if (here) { nClauses += here; nTexts += 1; }
      text.box.hidden = isSearch && here === 0;
      text.box.open = isSearch && here > 0 && nTexts <= MOST_OPENED;
      fill(text);
    });
    found.textContent = isSearch ? says.found.replace("{clauses}", nClauses).replace("{texts}", nTexts) : "";
  }
  let waiting = null;
  words.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, 150); });
  tool.addEventListener("change", search);
  words.form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
  texts.forEach((text) => { text.box.addEventListener("toggle", () => fill(text)); fill(text); });
  function open() {
    const target = /^#text-\d+$/.test(location.hash) ? byId(location.hash.slice(1)) : null;
    if (target) { target.open = true; target.scrollIntoView(); }
  }
  window.addEventListener("hashchange", open);
  open();
  words.value = address.get("words");
  tool.value = address.get("tool");
  if (words.value || tool.value) search();
})();
