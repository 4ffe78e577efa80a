// Draws a device's curve with its limits and marks, and draws it again when the streams have something new.
(function () {
  var place = document.getElementById("curve"), words = document.getElementById("curve-words");
  var form = document.getElementById("curve-of"), drawn = null, isAsking = false;
  if (!place || !window.uPlot) { return; }
  var COLOURS = { "物理": "#6b7780", "规定": "#b42318", "运行": "#b45309" };
  function size() { return { width: place.clientWidth, height: Math.max(220, Math.min(360, place.clientWidth * 0.5)) }; }
  function local(seconds) { return uPlot.tzDate(new Date(seconds * 1000), place.dataset.zone); }
  function level(times, value) { return times.map(function () { return value; }); }
  function lines(found) {
    var values = [], series = [];
    found.bands.forEach(function (band) {
      [["low", "下限"], ["high", "上限"]].forEach(function (side) {
        if (band[side[0]] === null || band.kind === "物理") { return; }
        values.push(level(found.times, band[side[0]]));
        series.push({ label: band.kind + side[1], stroke: COLOURS[band.kind], dash: [6, 4], width: 1.5, points: { show: false } });
      });
    });
    return { values: values, series: series };
  }
  function draw(found) {
    var marked = found.values.map(function (value, index) { return found.marks[index] ? value : null; });
    var limits = lines(found), unit = found.unit ? "（" + found.unit + "）" : "";
    var options = {
      width: size().width, height: size().height, tzDate: local, padding: [null, 28, null, null], scales: { x: { time: true } },
      axes: [{ values: "{MM}-{DD} {HH}:{mm}", space: 90 }, { size: 64 }],
      series: [{ label: "时间", value: "{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}" },
        { label: found.title + unit, stroke: "#1b4b72", width: 1.5, points: { show: false } },
        { label: "有标记", stroke: "#b42318", width: 0, points: { show: true, size: 7, fill: "#b42318" } }].concat(limits.series)
    };
    if (drawn) { drawn.destroy(); }
    drawn = new uPlot(options, [found.times, found.values, marked].concat(limits.values), place);
    words.textContent = said(found, unit);
  }
  function said(found, unit) {
    var values = found.values, last = values.length - 1;
    if (last < 0) { return "这一时段没有读数。"; }
    var marks = found.marks.filter(Boolean), kinds = Array.from(new Set(marks));
    var limits = found.bands.map(function (band) {
      var low = band.low === null ? "" : band.low, high = band.high === null ? "" : band.high;
      return band.kind + " " + (low === "" ? "≤ " + high : high === "" ? "≥ " + low : low + "～" + high);
    });
    return found.title + unit + "：" + values.length + " 个读数，最新 " + values[last] + "，最低 " + Math.min.apply(null, values) +
      "，最高 " + Math.max.apply(null, values) + "。限值：" + (limits.join("；") || "未约定") + "。" +
      (kinds.length ? "有标记的 " + marks.length + " 个：" + kinds.join("；") + "。" : "");
  }
  function ask() {
    if (isAsking) { return; }
    isAsking = true;
    fetch(place.dataset.curve + "?" + new URLSearchParams(new FormData(form)), { headers: { Accept: "application/json" } })
      .then(function (answer) { return answer.ok ? answer.json() : Promise.reject(); })
      .then(draw)
      .catch(function () { words.textContent = "曲线暂时读不到，稍后自动重试。"; })
      .finally(function () { isAsking = false; });
  }
  form.addEventListener("change", ask);
  form.addEventListener("submit", function (event) { event.preventDefault(); ask(); });
  window.addEventListener("resize", function () { if (drawn) { drawn.setSize(size()); } });
  document.addEventListener("feeds", ask);
  ask();
})();
