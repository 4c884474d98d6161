// Conveniences of the pages of messages. Every page works without them.
(function () {
  "use strict";

  // A variable goes to where the cursor stands, in the text that was written in last.
  let last = null;
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("textarea[data-variables]")) last = event.target;
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    if (!button) return;
    const shown = [...document.querySelectorAll("textarea[data-variables]")].filter((area) => area.offsetParent);
    const area = last?.isConnected && last.offsetParent ? last : shown[0];
    if (!area) return;
    area.focus();
    area.setRangeText(button.dataset.insert, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // Whoever presses Enter in a box that searches as they type does not mean to send the form that it stands in.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("form[method=post] input[type=search]")) event.preventDefault();
  });
})();
