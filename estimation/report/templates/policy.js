(function () {
  "use strict";
  var words = document.getElementById("words"), tool = document.getElementById("tool"), found = document.getElementById("found");
  var MOST_OPENED = 20;
  var texts = Array.prototype.map.call(document.querySelectorAll(".document"), function (box) {
    var clauses = Array.prototype.map.call(box.querySelectorAll(".clause"), function (row) {
      return { row: row, text: row.querySelector(".text").textContent.toLowerCase() };
    });
    return { box: box, clauses: clauses };
  });
  function search() {
    var sought = words.value.trim().toLowerCase().split(/\s+/).filter(Boolean), kind = tool.value;
    var isSearch = sought.length > 0 || kind !== "", nClauses = 0, nTexts = 0;
    texts.forEach(function (text) {
      var here = 0;
      text.clauses.forEach(function (clause) {
        var fits = (kind === "" || clause.row.dataset.tool === kind || clause.row.dataset.class === kind) &&
          sought.every(function (word) { return clause.text.indexOf(word) >= 0; });
        clause.row.hidden = !fits;
        here += fits ? 1 : 0;
      });
      text.box.hidden = isSearch && here === 0;
      if (here > 0) { nClauses += here; nTexts += 1; }
      text.box.open = isSearch && here > 0 && nTexts <= MOST_OPENED;
    });
    found.textContent = isSearch ? nClauses + " clauses in " + nTexts + " texts" +
      (nTexts > MOST_OPENED ? "; the first " + MOST_OPENED + " are open" : "") : "";
  }
  var waiting = null;
  function soon() { clearTimeout(waiting); waiting = setTimeout(search, 150); }
  words.addEventListener("input", soon);
  tool.addEventListener("change", search);
  words.form.addEventListener("submit", function (event) { event.preventDefault(); search(); });
})();
