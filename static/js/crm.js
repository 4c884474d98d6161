// Conveniences of the contacts workspace. Every page works without them.
(function () {
  "use strict";

  const isTyping = (element) => element.closest("input, textarea, select, [contenteditable]");

  // "/" goes to the search box.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const box = document.getElementById("q");
    if (!box) return;
    event.preventDefault();
    box.focus();
    box.select();
  });

  // One tick for all that are shown.
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-pick-all]")) return;
    for (const box of event.target.form.querySelectorAll(".pick")) box.checked = event.target.checked;
  });

  // A file can be dropped anywhere into the frame around its chooser.
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      const frame = event.target.closest?.("[data-drop]");
      if (!frame) return;
      event.preventDefault();
      frame.classList.toggle("over", kind === "dragover");
      const files = event.dataTransfer?.files;
      if (kind !== "drop" || !files?.length) return;
      const chooser = frame.querySelector("input[type=file]");
      chooser.files = files;
      chooser.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  // A file that is too large is told of at once, not after minutes of sending it.
  document.addEventListener("change", (event) => {
    const frame = event.target.closest("[data-max-bytes]");
    if (!frame || event.target.type !== "file") return;
    const tooLarge = event.target.files[0]?.size > Number(frame.dataset.maxBytes);
    event.target.setCustomValidity(tooLarge ? frame.dataset.tooLarge : "");
    event.target.reportValidity();
  });
})();
