// Small comforts; every page works without them.
"use strict";

// "/" goes to the search of the page, as long as nobody is typing.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.querySelector("[data-search], input[type=search]");
  if (search) {
    event.preventDefault();
    search.focus();
    search.select();
  }
});

// A form is sent once: a second click while the first is on its way does nothing.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  const question = event.submitter?.dataset.confirm || event.target.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    return;
  }
  if (event.target.method === "post") {
    const button = event.submitter;
    window.setTimeout(() => button?.setAttribute("disabled", ""), 0);
  }
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[method=post] button[disabled]").forEach((button) => button.removeAttribute("disabled"));
});

// Filters that say so are applied when a choice is made.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-submit-on-change]");
  if (form && event.target.matches("select, input[data-day], input[type=checkbox]")) form.requestSubmit();
});

// A row with a link in its first cell is a target as a whole.
document.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-href]");
  if (!row || event.target.closest("a, button, input, label, select") || window.getSelection().toString()) return;
  window.location.assign(row.dataset.href);
});

// Empty fields of a filter do not belong in the address.
document.addEventListener("formdata", (event) => {
  if (!event.target.matches("form[data-filter]")) return;
  for (const [name, value] of [...event.formData.entries()]) if (value === "") event.formData.delete(name);
});
