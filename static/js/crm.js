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

  // What htmx brings is read as if there were no scripts, so that the fields of a <noscript> would be sent along: an
  // earlier search beside the one that is typed.
  const forgetNoscript = () => document.querySelectorAll("noscript").forEach((element) => element.remove());
  forgetNoscript();
  document.addEventListener("htmx:load", forgetNoscript);

  // One tick for all that are shown, another for all that match; whoever takes one out means neither.
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (!form || form.id !== "selection" || event.target.type !== "checkbox") return;
    const boxes = [...form.elements].filter((element) => element.matches(".pick"));
    const shown = [...form.elements].find((element) => element.matches("[data-pick-all]"));
    const everybody = form.querySelector("[data-pick-everybody]");
    if (event.target === shown || event.target === everybody) {
      for (const box of boxes) box.checked = event.target.checked;
      if (event.target === everybody) shown.checked = everybody.checked;
    }
    if (event.target !== everybody && !event.target.checked) {
      shown.checked = false;
      if (everybody) everybody.checked = false;
    }
    const title = form.querySelector("[data-picked]");
    if (!title) return;
    title.dataset.words ||= title.textContent;
    const picked = boxes.filter((box) => box.checked).length;
    const counted = title.dataset.picked.replace("#", picked.toLocaleString());
    title.textContent = everybody?.checked || !picked ? title.dataset.words : counted;
  });

  // Enter on a tick chooses none of the changes: ticks stay for the button that does.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.form?.id === "selection" && event.target.type === "checkbox") event.preventDefault();
  });

  // Rows that come while all that match are ticked belong to them.
  document.addEventListener("htmx:afterSwap", () => {
    if (!document.querySelector("[data-pick-everybody]:checked")) return;
    for (const box of document.querySelectorAll("#selection .pick")) box.checked = true;
  });

  // The open tab is in sight, however many there are before it.
  document.querySelector(".tab[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

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
