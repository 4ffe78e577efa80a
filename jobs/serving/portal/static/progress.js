// Asks how far a file has come, moves the steps, and shows the page anew at the end unless something is being typed.
(function () {
  var list = document.getElementById("progress"), message = document.getElementById("message"), wait = 2000;
  var steps = Array.prototype.slice.call(list.children);
  function isTyped(field) {
    return field.type === "file" ? field.value !== "" : field.type !== "hidden" && field.value !== field.defaultValue;
  }
  function move(done) {
    list.dataset.done = done;
    steps.forEach(function (step, index) {
      var isDone = index < done, isNow = index === done;
      step.className = isDone ? "done" : isNow ? "now" : "";
      step.querySelector(".mark").textContent = isDone ? "✓" : isNow ? "△" : "○";
      step.querySelector(".unseen").textContent = isDone ? "（完成）" : isNow ? "（进行中）" : "";
    });
  }
  function end() {
    var fields = Array.prototype.slice.call(document.querySelectorAll("main input, main textarea"));
    if (!fields.some(isTyped)) { window.location.reload(); return; }
    var link = document.createElement("a");
    link.href = window.location.pathname;
    link.textContent = "查看结果";
    message.append(" ", link);
  }
  function show(now) {
    if (String(now.done) !== list.dataset.done) { wait = 2000; }
    move(now.done);
    message.lastChild.textContent = now.message;
    if (now.is_over) { end(); } else { again(); }
  }
  function ask() {
    fetch(list.dataset.state, { headers: { Accept: "application/json" } })
      .then(function (answer) { return answer.ok ? answer.json() : Promise.reject(); })
      .then(show)
      .catch(again);
  }
  function again() { wait = Math.min(wait * 1.3, 15000); setTimeout(ask, wait); }
  setTimeout(ask, wait);
})();
