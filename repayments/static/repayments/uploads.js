// Dropping a file, and showing only the questions that go with its kind. The form works without any of this.
"use strict";

(() => {
  const form = document.querySelector(".upload-form");
  const input = form?.querySelector("input[type=file]");
  const zone = form?.querySelector(".drop-zone");
  if (!input || !zone) return;

  const showName = () => {
    zone.querySelector("[data-name]").textContent = input.files[0]?.name ?? "";
  };
  input.addEventListener("change", showName);
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    const chosen = new DataTransfer();
    chosen.items.add(event.dataTransfer.files[0]);
    input.files = chosen.files;
    showName();
  });

  const showQuestions = () => {
    const kind = form.querySelector("input[name=kind]:checked")?.value;
    for (const part of form.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== kind;
  };
  form.addEventListener("change", showQuestions);
  showQuestions();
})();
