// Says whether the page still hears of changes. All else is done by htmx and by the server.
"use strict";
(function () {
  const say = (lost) => {
    const place = document.getElementById("live");
    if (!place) return;
    place.textContent = lost ? place.dataset.lost : place.dataset.live;
    place.classList.toggle("lost", lost);
  };
  document.addEventListener("htmx:sseOpen", () => say(false));
  document.addEventListener("htmx:sseError", () => say(true));
})();
