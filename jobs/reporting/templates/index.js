(function () {
  var rows = Array.prototype.slice.call(document.querySelectorAll("#deliveries tbody tr")).map(function (row) {
    var text = function (i) { return row.cells[i].textContent.trim(); };
    return { row: row, picks: [text(0), text(1), text(4).replace(/^\S\s+/, "")], all: row.textContent.toLowerCase() };
  });
  var word = document.getElementById("f-text"), shown = document.getElementById("shown");
  var picks = [0, 1, 2].map(function (i) { return document.getElementById("f-" + i); });
  function apply() {
    var query = word.value.trim().toLowerCase(), count = 0;
    rows.forEach(function (entry) {
      var fits = entry.all.indexOf(query) >= 0 && picks.every(function (p, i) { return !p.value || p.value === entry.picks[i]; });
      entry.row.hidden = !fits;
      if (fits) count += 1;
    });
    shown.textContent = count === rows.length ? "共 " + count.toLocaleString("zh-CN") + " 批"
      : "符合条件 " + count.toLocaleString("zh-CN") + " 批，共 " + rows.length.toLocaleString("zh-CN") + " 批";
  }
  picks.concat([word]).forEach(function (control) { control.addEventListener("input", apply); });
  apply();
})();
