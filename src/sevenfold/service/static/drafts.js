// A form that names its draft keeps what is typed in this browser until it was sent, so that a lost connection loses
// nothing. What is sent is sent once: the button rests until an answer comes.
"use strict";
(() => {
  const place = (form) => "draft " + form.dataset.draft;
  const kept = (field) => field.name && field.type !== "hidden" && field.type !== "password";
  for (const form of document.querySelectorAll("form")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "yes";
      if (form.dataset.draft) sessionStorage.setItem("sent", place(form));
      setTimeout(() => { delete form.dataset.sent; }, 8000);
    });
    if (!form.dataset.draft) continue;
    const draft = JSON.parse(localStorage.getItem(place(form)) || "null");
    if (draft) {
      for (const field of form.elements) {
        if (!kept(field) || !(field.name in draft)) continue;
        if (field.type === "radio" || field.type === "checkbox") field.checked = draft[field.name] === field.value;
        else if (!field.value || field.type === "datetime-local") field.value = draft[field.name];
      }
    }
    form.addEventListener("input", () => {
      const said = {};
      for (const field of form.elements) {
        if (kept(field) && ((field.type !== "radio" && field.type !== "checkbox") || field.checked)) said[field.name] = field.value;
      }
      localStorage.setItem(place(form), JSON.stringify(said));
    });
  }
  const sent = sessionStorage.getItem("sent");
  if (sent && ![...document.querySelectorAll("form[data-draft]")].some((form) => place(form) === sent)) localStorage.removeItem(sent);
  sessionStorage.removeItem("sent");
})();
