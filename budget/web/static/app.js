// Says whether the page still hears of changes, and gives numbers their sliders. All else is done
// by htmx and by the server; without scripts every page works, too.
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

  // A slider beside every number that has a range.
  for (const number of document.querySelectorAll("input[data-high]")) {
    const slider = document.createElement("input");
    slider.type = "range";
    slider.min = number.dataset.low;
    slider.max = number.dataset.high;
    slider.step = number.dataset.step;
    slider.setAttribute("aria-label", `${number.labels[0].textContent.trim()}, slider`);
    const follow = () => {
      slider.value = number.value || number.dataset.usual || number.dataset.low;
      slider.setAttribute("aria-valuetext", number.value || "empty");
    };
    follow();
    slider.addEventListener("input", () => {
      number.value = slider.value;
      slider.setAttribute("aria-valuetext", slider.value);
    });
    number.addEventListener("input", follow);
    number.after(slider);
  }

  // The decision is read out once it has changed.
  document.addEventListener("htmx:afterSwap", (event) => {
    const said = document.getElementById("said");
    const told = event.target.querySelector("[data-say], [role=alert]");
    if (said && told) said.textContent = told.textContent;
  });
})();
