// Keeps the figures of the streams up to date; shows the page anew where the number of alarms changes and nothing is being typed.
(function () {
  var root = document.getElementById("feeds");
  if (!root || !window.EventSource) { return; }
  function isTyped() {
    return Array.prototype.some.call(document.querySelectorAll("main input"), function (field) {
      return field.type !== "hidden" && field.value !== field.defaultValue;
    });
  }
  function show(event) {
    var state = JSON.parse(event.data), isOther = false;
    document.querySelectorAll("[data-feed]").forEach(function (row) {
      var cells = state[row.dataset.feed] || {};
      row.querySelectorAll("[data-cell]").forEach(function (cell) {
        var text = cells[cell.dataset.cell];
        if (text === undefined || text === cell.textContent) { return; }
        isOther = isOther || cell.dataset.cell === "alarms";
        cell.textContent = text;
      });
    });
    document.dispatchEvent(new Event("feeds"));
    if (isOther && !isTyped()) { window.location.reload(); }
  }
  new EventSource(root.dataset.events).onmessage = show;
})();
