(function () {
  var tip = document.getElementById("tip");
  function show(target, x, y) {
    tip.textContent = target.getAttribute("data-tip");
    tip.style.opacity = 1;
    var w = tip.offsetWidth, h = tip.offsetHeight;
    tip.style.left = Math.max(6, Math.min(x + 12, window.innerWidth - w - 6)) + "px";
    tip.style.top = (y - h - 12 < 6 ? y + 16 : y - h - 12) + "px";
  }
  function hide() { tip.style.opacity = 0; }
  document.addEventListener("mousemove", function (event) {
    var target = event.target.closest && event.target.closest("[data-tip]");
    if (target) { show(target, event.clientX, event.clientY); } else { hide(); }
  });
  document.addEventListener("focusin", function (event) {
    var target = event.target.closest && event.target.closest("[data-tip]");
    if (target) { var box = target.getBoundingClientRect(); show(target, box.left, box.top); }
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("scroll", hide, { passive: true });
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (d) { d.open = true; });
  });
})();
