// what scrolls sideways is a stop of the keyboard: wide tables, and the picture of the answer on a phone
document$.subscribe(() => requestAnimationFrame(() => {
  document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset p:has(> img)").forEach((box) => { box.tabIndex = 0; });
}));
