"use strict";
(() => {
  // an old page leads to where its content stands now; what stood behind # goes along
  const { target, ofACity } = document.body.dataset;
  const parts = JSON.parse(document.body.dataset.parts);
  const asked = location.hash.slice(1).replaceAll("%2F", "/");
  const [code, indicator, year] = asked.split("/");
  let to = Object.hasOwn(parts, asked) ? parts[asked] : target;
  if (ofACity !== undefined && /^\d{6}$/.test(code)) {
    const place = new URLSearchParams({ city: code });
    if (indicator && year) { place.set("indicator", indicator); place.set("year", year); }
    to = `cities.html#${place}`;
  }
  location.replace(to);
})();
