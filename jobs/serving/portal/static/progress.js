// Asks how far an upload has come, and shows the page anew when that changed.
(function () {
  var list = document.getElementById("progress"), done = list.querySelectorAll(".done").length, wait = 2000;
  function ask() {
    fetch(list.dataset.state, { headers: { Accept: "application/json" } })
      .then(function (answer) { return answer.ok ? answer.json() : Promise.reject(); })
      .then(function (now) {
        if (now.done !== done) { window.location.reload(); return; }
        document.getElementById("message").lastChild.textContent = now.message;
        again();
      })
      .catch(again);
  }
  function again() { wait = Math.min(wait * 1.3, 15000); setTimeout(ask, wait); }
  setTimeout(ask, wait);
})();
